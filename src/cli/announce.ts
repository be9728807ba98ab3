import type { Config } from '../config/config.ts';
import type { Addresses } from '../gateway.ts';

/** What a start says: fields for a log line, and the same for people. */
export function announce(
  config: Config,
  addresses: Addresses,
  version: string,
): { readonly fields: Readonly<Record<string, unknown>>; readonly text: string } {
  const url = reachable(addresses.url);
  const admin = reachable(addresses.adminUrl);
  const { secureUrl } = addresses;
  const mounts = config.mounts.map(({ path, upstreams }) => ({
    path,
    upstreams: upstreams.map((upstream) => upstream.url),
  }));
  const setup = setupCommands(config, url);
  const width = Math.max(0, ...mounts.map(({ path }) => path.length));
  const lines = [
    `Millrace ${version} listens on ${addresses.url.replace(/\/$/, '')}, admin on ${admin}`,
    ...(secureUrl === undefined ? [] : [`HTTPS on ${secureUrl}`]),
    `Data in ${config.data}`,
    ...mounts.map(({ path, upstreams }) => `  ${path.padEnd(width)} → ${upstreams.join(', ')}`),
    ...Object.entries(setup).map(([tool, command]) => `Point ${tool} at it:  ${command}`),
  ];
  const fields = {
    version,
    url: addresses.url,
    secureUrl,
    admin,
    data: config.data,
    mounts,
    setup,
  };
  return { fields, text: `${lines.join('\n')}\n` };
}

function setupCommands(config: Config, url: string): Readonly<Record<string, string>> {
  const npm = config.mounts.find(({ ecosystem }) => ecosystem === 'npm');
  const apt =
    config.aptHosts.length > 0 || config.mounts.some((mount) => mount.ecosystem === 'apt');
  const commands: Record<string, string> = {};
  if (npm !== undefined) {
    const base = `${config.publicUrl ?? url}${npm.path === '/' ? '' : npm.path}/`;
    commands.npm = `npm config set registry ${base}`;
  }
  if (apt) {
    // A proxy has no path, and apt speaks plain HTTP to it: the listener's own address.
    commands.apt = `echo 'Acquire::http::Proxy "${url}";' | sudo tee /etc/apt/apt.conf.d/01millrace`;
  }
  return commands;
}

/** A wildcard is no address to connect to: on this host loopback is. No trailing slash. */
export function reachable(url: string): string {
  return url.replace(/\/$/, '').replace('//0.0.0.0', '//127.0.0.1').replace('//[::]', '//[::1]');
}

import type { EcosystemId } from '../core/ecosystem-ids.ts';
import type { HostDefaults } from './host-defaults.ts';
import { presets } from './presets.ts';
import { upstreamUrl } from './url-types.ts';

/** A mount without a configured list. */
export interface DefaultMount {
  readonly path: string;
  readonly ecosystem: EcosystemId;
  readonly url: string;
  readonly source: string;
}

/** How clients reach this gateway, to see when a tool is pointed at it already. */
export interface OwnAddress {
  readonly host: string;
  readonly port: number;
  readonly publicUrl: string | undefined;
}

/**
 * The mounts without a configured list: `/npm`, one for each archive of apt, and the presets. A tool
 * that uses this gateway already names no upstream: for npm the public registry stands in, an archive
 * is left out, and a warning says so.
 */
export function defaultMounts(
  host: HostDefaults,
  own: OwnAddress,
): { readonly mounts: readonly DefaultMount[]; readonly warnings: readonly string[] } {
  const warnings: string[] = [];
  const npm = upstreamUrl.schema.safeParse(host.npmRegistry);
  let url = host.npmCanonicalRegistry;
  if (!npm.success) {
    warnings.push(
      'the registry in the npm configuration of this host cannot be an upstream; /npm uses the public registry: configure `mounts` for another',
    );
  } else if (isOwn(npm.data, own)) {
    warnings.push(
      'npm on this host uses this gateway already; /npm uses the public registry: configure `mounts` for another',
    );
  } else url = npm.data;
  const mounts: DefaultMount[] = [
    { path: '/npm', ecosystem: 'npm', url, source: 'npm configuration of this host' },
  ];
  for (const archive of host.aptArchives) {
    if (archive.path === '/npm') continue;
    if (isOwn(archive.url, own)) {
      warnings.push(
        `apt on this host fetches ${archive.path} from this gateway already; it has no mount: configure \`mounts\``,
      );
      continue;
    }
    mounts.push({ ...archive, ecosystem: 'apt', source: 'apt sources of this host' });
  }
  for (const preset of presets) {
    if (mounts.every(({ path }) => path !== preset.path)) {
      mounts.push({ ...preset, source: 'public index' });
    }
  }
  return { mounts, warnings };
}

/** Whether an address is this machine's alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || host.startsWith('127.');
}

function isOwn(url: string, own: OwnAddress): boolean {
  if (own.publicUrl !== undefined && `${url}/`.startsWith(`${own.publicUrl}/`)) return true;
  const { hostname, port, protocol } = new URL(url);
  const number = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
  return number === own.port && (isLoopback(hostname) || hostname === own.host);
}

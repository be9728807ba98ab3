import { registriesOf } from '../oci-registries.ts';
import { systemPath } from '../places.ts';
import { type FileEdit, refuse, type Tool } from '../tool.ts';

const certificates = '/etc/containerd/certs.d';

/** containerd: a `hosts.toml` for each registry. github.com/containerd/containerd: docs/hosts.md */
export const containerd: Tool = {
  id: 'containerd',
  programs: ['containerd', 'ctr', 'nerdctl'],
  ecosystem: 'oci',
  overrides: { registry: [], proxy: [] },
  plan(ask) {
    const { place, gateway, mode, scope, trust } = ask;
    if (scope === 'project') {
      refuse('containerd is configured for the system alone: leave out --scope project');
    }
    if (mode === 'proxy') {
      refuse(
        'containerd takes a proxy from the environment of its service alone: leave out --proxy, which leads every registry of the gateway here by hosts.toml',
      );
    }
    const registries = registriesOf(gateway);
    if (registries.length === 0) {
      refuse('the gateway has no mount for oci: add one to `mounts` in its configuration');
    }
    const { origin, pathname } = new URL(gateway.url);
    if (pathname !== '/') refuse('registries have no path: give the gateway a URL without one');
    const ca = systemPath(place, `${certificates}/millrace-ca.pem`);
    const own: FileEdit[] = trust
      ? [
          {
            path: systemPath(place, ca),
            content: trust.authority,
            about: "the gateway's authority",
          },
        ]
      : [];
    const files = registries.map(({ name, origin: server }) => ({
      path: systemPath(place, `${certificates}/${name}/hosts.toml`),
      content: hostsFile(server, origin, trust && ca),
    }));
    return {
      files: [...own, ...files],
      notes: notes(place.read(systemPath(place, configuration))),
    };
  },
};

const configuration = '/etc/containerd/config.toml';

/** Version 1 looks into the folder when it is told to; 2 does by itself. */
function notes(config: string | undefined): string[] {
  if (config === undefined || /^\s*version\s*=\s*3/m.test(config)) return [];
  if (config.includes(certificates)) return [];
  return [
    `containerd 1 reads it once its ${configuration} says so: [plugins."io.containerd.grpc.v1.cri".registry] config_path = "${certificates}"`,
  ];
}

function hostsFile(server: string, gateway: string, ca: string | undefined): string {
  const lines = [
    '# Made by millrace setup containerd; to take it out again: millrace setup undo containerd',
    `server = ${JSON.stringify(server)}`,
    '',
    `[host.${JSON.stringify(gateway)}]`,
    '  capabilities = ["pull", "resolve"]',
    ...(ca === undefined ? [] : [`  ca = ${JSON.stringify(ca)}`]),
  ];
  return `${lines.join('\n')}\n`;
}

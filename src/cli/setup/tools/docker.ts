import { neededTrust } from '../common.ts';
import { jsonValue, withJsonValue } from '../edits/json.ts';
import { isOfficial, registriesOf } from '../oci-registries.ts';
import { systemPath } from '../places.ts';
import { type Ask, type FileEdit, type Plan, refuse, type Tool } from '../tool.ts';

const restart = 'The daemon reads it when it starts: sudo systemctl restart docker';

/** Docker's daemon: `daemon.json`. docs.docker.com/reference/cli/dockerd */
export const docker: Tool = {
  id: 'docker',
  programs: ['dockerd', 'docker'],
  ecosystem: 'oci',
  overrides: { registry: [], proxy: [] },
  plan(ask) {
    const { place, gateway, mode, scope } = ask;
    if (scope === 'project') {
      refuse('docker is configured for its daemon alone: leave out --scope project');
    }
    const path = systemPath(place, '/etc/docker/daemon.json');
    let text = place.read(path);
    if (mode === 'proxy') {
      for (const name of ['http-proxy', 'https-proxy']) {
        const target = { path: ['proxies', name], value: gateway.proxyUrl, file: path } as const;
        text = withJsonValue(text, target);
      }
      const certificates = certificateFiles(ask);
      const files = [...certificates, { path, content: text ?? '' }];
      return { files, notes: [restart], ...trusting(certificates[0]) };
    }
    const { pathname, origin, host } = new URL(gateway.url);
    if (pathname !== '/' || !registriesOf(gateway).some(isOfficial)) {
      refuse(
        'docker takes a mirror of Docker Hub alone, at the root of a host: the gateway needs a mount `/v2` whose upstream is Docker Hub, and a URL without a path. Images of other registries: docker pull HOST/ghcr.io/owner/name, or --proxy',
      );
    }
    const key = 'registry-mirrors';
    const now = jsonValue(text, [key], path);
    const others = Array.isArray(now) ? now.filter((each) => !isSame(each, origin)) : [];
    const listed = Array.isArray(now) && isSame(now[0], origin);
    if (!listed) {
      text = withJsonValue(text, { path: [key], value: [origin, ...others], file: path });
    }
    const file = { path, content: text ?? '' };
    if (ask.trust === undefined) return { files: [file], notes: [restart] };
    const certificate = certificateFile(ask, host);
    return { files: [certificate, file], notes: [restart], ...trusting(certificate) };
  },
};

function trusting(certificate: FileEdit | undefined): Pick<Plan, 'trustFile' | 'trustsSystem'> {
  return certificate ? { trustFile: certificate.path, trustsSystem: true } : {};
}

function isSame(mirror: unknown, origin: string): boolean {
  return typeof mirror === 'string' && mirror.replace(/\/+$/, '') === origin;
}

/** Docker adds what lies there to what the system trusts, for one registry. */
function certificateFiles(ask: Ask): FileEdit[] {
  neededTrust(ask, 'docker');
  return registriesOf(ask.gateway).map(({ host }) => certificateFile(ask, host));
}

function certificateFile({ place, trust }: Ask, host: string): FileEdit {
  const path = systemPath(place, `/etc/docker/certs.d/${host}/millrace.crt`);
  return { path, content: trust?.authority ?? '', about: "the gateway's authority" };
}

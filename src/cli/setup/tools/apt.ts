import { withArchives } from '../edits/apt-sources.ts';
import { systemPath } from '../places.ts';
import { type Ask, type FileEdit, type Plan, refuse, type Tool, urlOf } from '../tool.ts';

const configuration = '/etc/apt/apt.conf.d/01millrace';
const certificates = '/etc/apt/millrace-ca.pem';

/** apt: as its proxy, which it is made for, or in place of its archives. apt.conf(5), sources.list(5) */
export const apt: Tool = {
  id: 'apt',
  programs: ['apt-get'],
  ecosystem: 'apt',
  // Archives over https take the same proxy, and with an authority come from the cache too.
  defaultMode: 'proxy',
  overrides: { registry: ['APT_CONFIG'], proxy: ['APT_CONFIG'] },
  plan(ask) {
    if (ask.scope === 'project') {
      refuse('apt is configured for the system alone: leave out --scope project');
    }
    const bundle = ask.trust && {
      path: systemPath(ask.place, certificates),
      content: ask.trust.bundle(),
      about: "the public authorities and the gateway's own",
    };
    const trusting: Pick<Plan, 'files' | 'trustFile'> = bundle
      ? { files: [bundle], trustFile: bundle.path }
      : { files: [] };
    const lines = bundle ? [`Acquire::https::CaInfo "${bundle.path}";`] : [];
    if (ask.mode === 'registry') {
      const own = lines.length > 0 ? [settings(ask, lines)] : [];
      return { ...trusting, files: [...trusting.files, ...own, ...archives(ask)] };
    }
    lines.unshift(`Acquire::http::Proxy "${ask.gateway.proxyUrl}";`);
    return { ...trusting, files: [...trusting.files, settings(ask, lines)] };
  },
};

function settings({ place }: Ask, lines: readonly string[]): FileEdit {
  const content = `// Made by millrace setup apt; to take it out again: millrace setup undo apt\n${lines.join('\n')}\n`;
  return { path: systemPath(place, configuration), content };
}

function archives({ place, gateway }: Ask): FileEdit[] {
  const mounts = gateway.mounts.filter(({ ecosystem }) => ecosystem === 'apt');
  const targets = mounts.map((mount) => ({
    upstreams: mount.upstreams,
    url: urlOf(gateway, mount),
  }));
  const folder = systemPath(place, '/etc/apt/sources.list.d');
  // Other names are ignored by apt too: sources.list(5).
  const names = place.list(folder).filter((name) => /^[\w.-]+\.(list|sources)$/.test(name));
  const paths = [
    systemPath(place, '/etc/apt/sources.list'),
    ...[...names].sort().map((name) => `${folder}/${name}`),
  ];
  const edits = paths.flatMap((path) => {
    const text = place.read(path);
    if (text === undefined) return [];
    const { content, here } = withArchives(text, path.endsWith('.sources'), targets);
    return here ? [{ path, content }] : [];
  });
  if (edits.length === 0) {
    refuse(
      'none of the archives in /etc/apt is the upstream of a mount of this gateway: add mounts of ecosystem apt, or use --proxy',
    );
  }
  return edits;
}

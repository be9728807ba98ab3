import { join } from 'node:path';
import { bundleFor, neededTrust } from '../common.ts';
import { npmrcStyle, withSettings } from '../edits/settings-file.ts';
import { withYamlSetting } from '../edits/yaml.ts';
import { configHome, given } from '../places.ts';
import { type Ask, type FileEdit, mountUrl, type Place, refuse, type Tool } from '../tool.ts';
import { npm } from './npm.ts';

/**
 * pnpm: files of its own, so that npm does not change with it. Up to version 10 `rc` has everything;
 * later ones have registries and certificates in `auth.ini` and the proxy in YAML. pnpm.io/cli/config
 */
export const pnpm: Tool = {
  id: 'pnpm',
  programs: ['pnpm'],
  ecosystem: 'npm',
  overrides: npm.overrides,
  plan(ask) {
    if (ask.mode === 'proxy') neededTrust(ask, 'pnpm');
    const bundle = bundleFor(ask, 'pnpm');
    const own = ask.scope === 'project' ? projectFiles(ask, bundle) : userFiles(ask, bundle);
    const files = bundle ? [bundle, ...own] : own;
    return bundle ? { files, trustFile: bundle.path, notes: [oldTrust(bundle.path)] } : { files };
  },
};

/** Found by trying: `cafile` of `rc` is not read by version 10. */
function oldTrust(path: string): string {
  return `pnpm before 11 takes its certificates from the environment:\n  export NODE_EXTRA_CA_CERTS=${path}`;
}

function userFiles(ask: Ask, bundle: FileEdit | undefined): FileEdit[] {
  const folder = ownFolder(ask.place);
  const files = [ini(ask, join(folder, 'rc'), { ...access(ask, bundle), ...iniProxy(ask) })];
  const later = access(ask, bundle);
  if (Object.keys(later).length > 0) files.push(ini(ask, join(folder, 'auth.ini'), later));
  if (ask.mode === 'proxy') files.push(yamlProxy(ask, join(folder, 'config.yaml')));
  return files;
}

function projectFiles(ask: Ask, bundle: FileEdit | undefined): FileEdit[] {
  const { place, mode } = ask;
  const npmrc = join(place.folder, '.npmrc');
  const workspace = join(place.folder, 'pnpm-workspace.yaml');
  const files = [ini(ask, npmrc, { ...access(ask, bundle), ...iniProxy(ask) })];
  if (mode === 'registry') return files;
  if (place.read(workspace) === undefined) {
    refuse(
      'pnpm since 11 takes the proxy of a project from pnpm-workspace.yaml, and here is none: make it, or leave out --scope project',
    );
  }
  return [...files, yamlProxy(ask, workspace)];
}

function access({ mode, gateway }: Ask, bundle: FileEdit | undefined): Record<string, string> {
  return {
    ...(mode === 'registry' && { registry: `${mountUrl(gateway, 'npm')}/` }),
    ...(bundle && { cafile: bundle.path }),
  };
}

function iniProxy({ mode, gateway }: Ask): Record<string, string> {
  return mode === 'proxy' ? { proxy: gateway.proxyUrl, 'https-proxy': gateway.proxyUrl } : {};
}

function ini({ place }: Ask, path: string, settings: Readonly<Record<string, string>>): FileEdit {
  return { path, content: withSettings(place.read(path), npmrcStyle, undefined, settings) };
}

function yamlProxy({ place, gateway }: Ask, path: string): FileEdit {
  const keys = ['httpProxy', 'httpsProxy'];
  const content = keys.reduce(
    (text: string | undefined, key) =>
      withYamlSetting(text, { key, value: gateway.proxyUrl, file: path }),
    place.read(path),
  );
  return { path, content: content ?? '' };
}

function ownFolder(place: Place): string {
  const isMac = place.platform === 'darwin' && given(place.env.XDG_CONFIG_HOME) === undefined;
  return join(isMac ? join(place.home, 'Library/Preferences') : configHome(place), 'pnpm');
}

import { join } from 'node:path';
import { bundleFor, neededTrust } from '../common.ts';
import { withSettings, yarnrcStyle } from '../edits/settings-file.ts';
import { withYamlSetting, yamlStrings } from '../edits/yaml.ts';
import { type Ask, type FileEdit, mountUrl, type Place, type Tool } from '../tool.ts';

/**
 * Yarn: `.yarnrc` before version 2, `.yarnrc.yml` since; each ignores the other's. For a user both
 * are written, in a project the one it has. classic.yarnpkg.com/docs/yarnrc, yarnpkg.com/configuration
 */
export const yarn: Tool = {
  id: 'yarn',
  programs: ['yarn', 'yarnpkg'],
  ecosystem: 'npm',
  overrides: {
    registry: ['YARN_REGISTRY', 'YARN_NPM_REGISTRY_SERVER', 'npm_config_registry'],
    proxy: ['YARN_HTTPS_PROXY', 'YARN_HTTPS_CA_FILE_PATH', 'YARN_NPM_REGISTRY_SERVER'],
  },
  plan(ask) {
    const { place, scope, mode } = ask;
    if (mode === 'proxy') neededTrust(ask, 'yarn');
    const folder = scope === 'project' ? place.folder : place.home;
    const kinds = scope === 'project' ? kindsIn(place) : (['classic', 'modern'] as const);
    const bundle = bundleFor(ask, 'yarn');
    const files: FileEdit[] = bundle ? [bundle] : [];
    for (const kind of kinds) {
      files.push(kind === 'classic' ? classic(ask, folder, bundle) : modern(ask, folder, bundle));
    }
    return { files, ...(bundle && { trustFile: bundle.path }) };
  },
};

function classic(ask: Ask, folder: string, bundle: FileEdit | undefined): FileEdit {
  const { place, gateway, mode } = ask;
  const path = join(folder, '.yarnrc');
  const settings: Record<string, string> =
    mode === 'registry'
      ? { registry: `${mountUrl(gateway, 'npm')}/` }
      : { proxy: gateway.proxyUrl, 'https-proxy': gateway.proxyUrl };
  if (bundle) settings.cafile = bundle.path;
  return { path, content: withSettings(place.read(path), yarnrcStyle, undefined, settings) };
}

function modern(ask: Ask, folder: string, bundle: FileEdit | undefined): FileEdit {
  const { place, gateway, mode } = ask;
  const path = join(folder, '.yarnrc.yml');
  const settings: Record<string, string | readonly string[]> = {};
  if (mode === 'registry') {
    const registry = mountUrl(gateway, 'npm');
    settings.npmRegistryServer = registry;
    const { protocol, hostname } = new URL(registry);
    if (protocol === 'http:') {
      const key = 'unsafeHttpWhitelist';
      settings[key] = [...new Set([...yamlStrings(place.read(path), key, path), hostname])];
    }
  } else {
    settings.httpProxy = gateway.proxyUrl;
    settings.httpsProxy = gateway.proxyUrl;
  }
  if (bundle) settings.httpsCaFilePath = bundle.path;
  let text = place.read(path);
  for (const [key, value] of Object.entries(settings)) {
    text = withYamlSetting(text, { key, value, file: path });
  }
  return { path, content: text ?? '' };
}

/** Which Yarn a project is of; both, where nothing tells. */
function kindsIn({ folder, read }: Place): readonly ('classic' | 'modern')[] {
  const lockfile = read(join(folder, 'yarn.lock'));
  if (read(join(folder, '.yarnrc.yml')) !== undefined || lockfile?.includes('\n__metadata:')) {
    return ['modern'];
  }
  const isOld = read(join(folder, '.yarnrc')) !== undefined || lockfile !== undefined;
  return isOld ? ['classic'] : ['classic', 'modern'];
}

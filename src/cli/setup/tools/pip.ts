import { join } from 'node:path';
import { bundleFor, neededTrust, replacedNote } from '../common.ts';
import { pipStyle, settingIn, withSettings } from '../edits/settings-file.ts';
import { configHome, firstThere, given } from '../places.ts';
import { type FileEdit, isInsecure, mountUrl, type Place, refuse, type Tool } from '../tool.ts';

/** pip: `pip.conf`. pip.pypa.io/en/stable/topics/configuration */
export const pip: Tool = {
  id: 'pip',
  programs: ['pip', 'pip3'],
  ecosystem: 'pypi',
  overrides: {
    registry: ['PIP_INDEX_URL', 'PIP_NO_INDEX'],
    proxy: ['PIP_INDEX_URL', 'PIP_PROXY', 'PIP_CERT'],
  },
  plan(ask) {
    const { place, gateway, mode, scope } = ask;
    const path = scope === 'project' ? virtualEnvironment(place) : userFile(place);
    const settings: Record<string, string> = {};
    const text = place.read(path);
    if (mode === 'registry') {
      const url = `${mountUrl(gateway, 'pypi')}/simple/`;
      settings['index-url'] = url;
      if (isInsecure(url)) {
        const trusted = settingIn(text, pipStyle, 'global', 'trusted-host')?.split(/\s+/) ?? [];
        settings['trusted-host'] = [...new Set([...trusted, new URL(url).hostname])].join(' ');
      }
    } else {
      neededTrust(ask, 'pip');
      settings.proxy = gateway.proxyUrl;
    }
    const bundle = bundleFor(ask, 'pip');
    if (bundle) settings.cert = bundle.path;
    const content = withSettings(text, pipStyle, 'global', settings);
    const files: FileEdit[] = [...(bundle ? [bundle] : []), { path, content }];
    const previous = settingIn(text, pipStyle, 'global', 'index-url');
    const notes = mode === 'registry' ? replacedNote(ask, 'pypi', previous) : [];
    return { files, notes, ...(bundle && { trustFile: bundle.path }) };
  },
};

function userFile(place: Place): string {
  const { env, home, platform } = place;
  const named = given(env.PIP_CONFIG_FILE);
  if (named === '/dev/null') {
    refuse('PIP_CONFIG_FILE is /dev/null, with which pip reads no configuration: unset it');
  }
  if (named !== undefined) return named;
  const old = join(home, '.pip/pip.conf');
  const usual = join(configHome(place), 'pip/pip.conf');
  const mac = join(home, 'Library/Application Support/pip/pip.conf');
  return platform === 'darwin'
    ? firstThere(place, [usual, mac, old])
    : firstThere(place, [usual, old]);
}

/** pip has files of environments, not of folders. */
function virtualEnvironment({ env, folder, read }: Place): string {
  const active = given(env.VIRTUAL_ENV);
  if (active !== undefined) return join(active, 'pip.conf');
  const found = ['.venv', 'venv'].find(
    (name) => read(join(folder, name, 'pyvenv.cfg')) !== undefined,
  );
  if (found !== undefined) return join(folder, found, 'pip.conf');
  return refuse(
    'pip has no configuration of a folder: make a virtual environment (python3 -m venv .venv), or leave out --scope project',
  );
}

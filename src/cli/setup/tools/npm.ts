import { join } from 'node:path';
import { bundleFor, neededTrust, replacedNote } from '../common.ts';
import { npmrcStyle, settingIn, withSettings } from '../edits/settings-file.ts';
import { given } from '../places.ts';
import { type Ask, type FileEdit, mountUrl, type Plan, type Tool } from '../tool.ts';

const variables = (...names: readonly string[]): string[] =>
  names.flatMap((name) => [`npm_config_${name}`, `NPM_CONFIG_${name.toUpperCase()}`]);

/** npm: `.npmrc`. docs.npmjs.com/cli/configuring-npm/npmrc */
export const npm: Tool = {
  id: 'npm',
  programs: ['npm'],
  ecosystem: 'npm',
  overrides: {
    registry: variables('registry'),
    proxy: variables('registry', 'https_proxy', 'cafile'),
  },
  plan(ask) {
    const { place, scope } = ask;
    const { env } = place;
    const own = given(env.npm_config_userconfig) ?? given(env.NPM_CONFIG_USERCONFIG);
    const user = own ?? join(place.home, '.npmrc');
    return npmrcPlan(ask, scope === 'project' ? join(place.folder, '.npmrc') : user);
  },
};

function npmrcPlan(ask: Ask, path: string): Plan {
  const { place, gateway, mode } = ask;
  const settings: Record<string, string> =
    mode === 'registry'
      ? { registry: `${mountUrl(gateway, 'npm')}/` }
      : { proxy: gateway.proxyUrl, 'https-proxy': gateway.proxyUrl };
  if (mode === 'proxy') neededTrust(ask, 'npm');
  const bundle = bundleFor(ask, 'npm');
  if (bundle) settings.cafile = bundle.path;
  const text = place.read(path);
  const content = withSettings(text, npmrcStyle, undefined, settings);
  const files: FileEdit[] = [...(bundle ? [bundle] : []), { path, content }];
  const previous = settingIn(text, npmrcStyle, undefined, 'registry');
  const notes = mode === 'registry' ? replacedNote(ask, 'npm', previous) : [];
  return { files, notes, ...(bundle && { trustFile: bundle.path }) };
}

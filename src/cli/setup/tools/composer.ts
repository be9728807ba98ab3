import { join } from 'node:path';
import { bundleFor, neededTrust, proxyVariables } from '../common.ts';
import { jsonValue, withJsonValue } from '../edits/json.ts';
import { configHome, firstThere, given } from '../places.ts';
import { type Ask, type FileEdit, mountUrl, type Place, refuse, type Tool } from '../tool.ts';

/** Composer: the global `config.json` or `composer.json`. getcomposer.org/doc/06-config.md */
export const composer: Tool = {
  id: 'composer',
  programs: ['composer'],
  ecosystem: 'composer',
  overrides: { registry: [], proxy: ['COMPOSER_CAFILE'] },
  plan(ask) {
    const { place, mode } = ask;
    const path = fileOf(ask);
    const bundle = bundleFor(ask, 'composer');
    if (mode === 'proxy') neededTrust(ask, 'composer');
    let text = place.read(path);
    if (mode === 'registry') text = withRepository(ask, path, text);
    if (bundle)
      text = withJsonValue(text, { path: ['config', 'cafile'], value: bundle.path, file: path });
    const files: FileEdit[] = bundle ? [bundle] : [];
    if (text !== undefined) files.push({ path, content: text });
    return {
      files,
      ...(mode === 'proxy' && { env: proxyVariables(ask) }),
      ...(bundle && { trustFile: bundle.path }),
    };
  },
};

/** In the place of the repository that Composer has by itself, whose name this is. */
const name = 'packagist.org';

function withRepository({ gateway }: Ask, file: string, text: string | undefined): string {
  const url = mountUrl(gateway, 'composer');
  const repository = { type: 'composer', url };
  const now = jsonValue(text, ['repositories'], file);
  let changed: string;
  if (Array.isArray(now)) {
    const own = [repository, { [name]: false }];
    const listed = own.every((each) =>
      now.some((other) => JSON.stringify(other) === JSON.stringify(each)),
    );
    const others = now.filter((each) => !isPackagist(each));
    changed = listed
      ? (text ?? '')
      : withJsonValue(text, { path: ['repositories'], value: [...own, ...others], file });
  } else {
    // The older name means the same, and the last of both counts.
    const key =
      jsonValue(text, ['repositories', 'packagist'], file) === undefined ? name : 'packagist';
    changed = withJsonValue(text, { path: ['repositories', key], value: repository, file });
  }
  if (!url.startsWith('http:')) return changed;
  return withJsonValue(changed, { path: ['config', 'secure-http'], value: false, file });
}

function isPackagist(repository: unknown): boolean {
  if (typeof repository !== 'object' || repository === null) return false;
  return Object.hasOwn(repository, name) || Object.hasOwn(repository, 'packagist');
}

function fileOf({ place, scope }: Ask): string {
  if (scope === 'user') return join(homeOf(place), 'config.json');
  const path = join(place.folder, given(place.env.COMPOSER) ?? 'composer.json');
  if (place.read(path) === undefined) {
    refuse(`there is no ${path}: go to the project's folder, or leave out --scope project`);
  }
  return path;
}

/** As Composer finds it: the old folder where it is, else the XDG one. */
function homeOf(place: Place): string {
  const named = given(place.env.COMPOSER_HOME);
  if (named !== undefined) return named;
  const modern = join(configHome(place), 'composer');
  const old = join(place.home, '.composer');
  if (place.platform === 'darwin') return old;
  return firstThere(place, [join(modern, 'config.json'), join(old, 'config.json')]).replace(
    /\/config\.json$/,
    '',
  );
}

import { Document, isMap, isScalar } from 'yaml';
import type { Config } from './config.ts';
import { settings } from './declarations.ts';
import { valueAt } from './issues.ts';
import { isList, isSetting, type SettingGroup, settingsOf } from './setting.ts';

type Shown = Readonly<Record<string, unknown>>;

/** The configuration as it would be written in a file: units as text, secrets redacted. */
export function showable(config: Config): Shown {
  return showGroup(settings, {
    ...config,
    // A file may have it for npm alone.
    mounts: config.mounts.map(({ tarballs, ...mount }) =>
      mount.ecosystem === 'npm' ? { ...mount, tarballs } : mount,
    ),
  });
}

/** YAML of the whole configuration with the source of each setting; it can be loaded again. */
export function showYaml(config: Config, sources: ReadonlyMap<string, string>): string {
  const document = new Document(showable(config));
  for (const [path, source] of sources) note(document, path, ` from ${source}`);
  const absent = [...settingsOf(settings)]
    .filter(({ path }) => valueAt(config, path.split('.')) === undefined)
    .map(({ path, setting }) => ` ${path} is not set: ${setting.defaultNote}`);
  if (absent.length > 0) document.comment = absent.join('\n');
  return document.toString({ lineWidth: 0 });
}

function showGroup(group: SettingGroup, values: unknown): Shown {
  const shown: Record<string, unknown> = {};
  for (const [key, node] of Object.entries(group)) {
    const value = valueAt(values, [key]);
    if (value === undefined) continue;
    if (isSetting(node)) shown[key] = node.type.format(value);
    else if (!isList(node)) shown[key] = showGroup(node, value);
    else if (Array.isArray(value)) shown[key] = value.map((entry) => showGroup(node.fields, entry));
  }
  return shown;
}

/** Behind a single value, before anything longer; nothing where the setting is absent. */
function note(document: Document, path: string, comment: string): void {
  const keys = path
    .split(/[.[\]]/)
    .filter((key) => key !== '')
    .map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  const node = document.getIn(keys, true);
  const parent = document.getIn(keys.slice(0, -1), true);
  if (isScalar(node)) node.comment = comment;
  else if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => isScalar(key) && key.value === keys.at(-1));
    if (isScalar(pair?.key)) pair.key.commentBefore = comment;
  } else if (isMap(node)) node.commentBefore = comment;
}

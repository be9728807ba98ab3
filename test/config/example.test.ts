import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { settings } from '../../src/config/declarations.ts';
import { valueAt } from '../../src/config/issues.ts';
import { jsonSchemaText } from '../../src/config/json-schema.ts';
import { referenceTable } from '../../src/config/reference.ts';
import {
  isList,
  isSetting,
  type Setting,
  type SettingGroup,
  settingsOf,
} from '../../src/config/setting.ts';
import { good, load, loadText } from './support.ts';

const read = (path: string): Promise<string> =>
  readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
const example = await read('config/millrace.example.yaml');
/** With the optional settings in it: they stand behind a `#` without a blank. */
const complete = example.replace(/^( *)#(?! )(.)/gm, '$1$2').replace(/^#(?= {2,})/gm, '');

/** The declaration of each key, `mounts[].path` for the fields of a list. */
function* declared(
  group: SettingGroup,
  prefix = '',
): Generator<[string, Setting<unknown> | { doc: string }]> {
  for (const [key, node] of Object.entries(group)) {
    if (isSetting(node)) yield [prefix + key, node];
    else if (isList(node)) {
      yield [prefix + key, node];
      yield* declared(node.fields, `${prefix}${key}[].`);
    } else yield* declared(node, `${prefix}${key}.`);
  }
}

/** The paths of all values, groups aside, in the same form. */
function pathsIn(data: unknown, prefix = ''): string[] {
  return Object.entries(data as object).flatMap(([key, value]): string[] => {
    const path = prefix + key;
    if (Array.isArray(value) && value.some((entry) => typeof entry === 'object')) {
      return [path, ...value.flatMap((entry) => pathsIn(entry, `${path}[].`))];
    }
    return typeof value === 'object' && !Array.isArray(value) ? pathsIn(value, `${path}.`) : [path];
  });
}

test('the example has every key that is declared, and no other', () => {
  const inExample = new Set(pathsIn(parse(complete)));
  expect([...inExample].sort()).toEqual([...declared(settings)].map(([path]) => path).sort());
});

test('the values of the example are the defaults', () => {
  const data: unknown = parse(example);
  for (const { path, setting } of settingsOf(settings)) {
    expect(valueAt(data, path.split('.')), path).toEqual(setting.default);
  }
  const first = valueAt(parse(complete), ['mounts', 0]);
  for (const [key, node] of Object.entries(settings.mounts.fields)) {
    if (isSetting(node) && node.default !== undefined) {
      expect(valueAt(first, [key]), key).toEqual(node.default);
    }
  }
});

test('the example says of every key what its declaration says', () => {
  const comments = example.replace(/\n[ #]*/g, ' ');
  for (const [path, { doc }] of declared(settings)) {
    expect(comments.includes(doc), path).toBe(true);
  }
});

test('the example changes nothing, and with its optional settings it is still good', async () => {
  const { data, ...plain } = (await good(load())).config;
  expect((await good(loadText(example))).config).toMatchObject(plain);
  const { config } = await good(loadText(complete));
  expect(config.mounts.map(({ ecosystem }) => ecosystem)).toEqual(
    expect.arrayContaining(['npm', 'pypi', 'apt', 'generic']),
  );
  expect(config.admin.token).toBe('change-me');
});

test('the example refers editors to the schema, and that is up to date', async () => {
  expect(example.split('\n')[0]).toBe('# yaml-language-server: $schema=./millrace.schema.json');
  // When it is not: npm run -s millrace -- config schema > config/millrace.schema.json
  expect(await read('config/millrace.schema.json')).toBe(jsonSchemaText(settings));
});

test('the patterns of the schema are regular expressions and take the defaults', () => {
  for (const { path, setting } of settingsOf(settings)) {
    const { pattern } = setting.type.json;
    if (typeof pattern !== 'string') continue;
    const expression = new RegExp(pattern, 'u');
    if (setting.default !== undefined) expect(String(setting.default), path).toMatch(expression);
  }
});

test('the manual has the table of all settings', async () => {
  // When it has not: npm run -s millrace -- config schema --markdown. The formatter aligns columns.
  const plain = (text: string): string => text.replace(/ +/g, ' ').replace(/ ?-{3,} ?/g, '---');
  expect(plain(await read('docs/configuration.md'))).toContain(plain(referenceTable(settings)));
});

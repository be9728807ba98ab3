import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const documents = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

test.each(documents)('what %s links to is there', (name) => {
  const text = readFileSync(join(root, name), 'utf8');
  const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(
    ([, target = '']) => target,
  );
  const missing = targets.filter((target) => !existsSync(join(root, dirname(name), target)));
  expect(missing).toEqual([]);
});

test.each(documents.filter((name) => name !== 'CONTRIBUTING.md'))(
  'the files that %s names are there',
  (name) => {
    const text = readFileSync(join(root, name), 'utf8');
    const paths = [...text.matchAll(/`((?:src|test|loadtest|config|\.ci)\/[\w./-]+)`/g)];
    const missing = paths
      .map(([, path = '']) => path)
      .filter((path) => !existsSync(join(root, path)));
    expect(missing).toEqual([]);
  },
);

test.each(documents)('the npm scripts that %s names are there', (name) => {
  const text = readFileSync(join(root, name), 'utf8');
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const named = [...text.matchAll(/npm run (?:-s )?([a-z][a-z:]*)/g)].map(
    ([, script = '']) => script,
  );
  expect(named.filter((script) => scripts[script] === undefined)).toEqual([]);
});

/** The rows of a document's tables, heads and rules left out. */
function rowsOf(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith('|'));
  return lines
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()))
    .filter(([first = '', second = '']) => !/^-+$/.test(first) && second !== 'RFC');
}

const caching = rowsOf(readFileSync(join(root, 'docs/http-caching.md'), 'utf8'));

test.each(caching.map(([behaviour = '', , , , tests = '']) => [behaviour, tests]))(
  'the tests that show "%s" are there',
  (_behaviour, cell) => {
    const parts = cell.split(/`(test\/[\w./-]+)`/).slice(1);
    expect(parts.length).toBeGreaterThan(0);
    for (let i = 0; i < parts.length; i += 2) {
      const source = readFileSync(join(root, parts[i] ?? ''), 'utf8');
      const names = [...(parts[i + 1] ?? '').matchAll(/"(.*?)"(?=[,;]|$)/g)].map(
        ([, name = '']) => name,
      );
      expect(names.length, parts[i]).toBeGreaterThan(0);
      // As a whole literal: a name that has grown or shrunk is another one.
      const missing = names.filter((name) => !source.includes(`'${name}'`));
      expect(missing, parts[i]).toEqual([]);
    }
  },
);

test('each behaviour of docs/http-caching.md has its section and its tests', () => {
  expect(caching.length).toBeGreaterThan(40);
  expect(caching.filter((cells) => cells.length !== 5 || !/^\d{4}/.test(cells[1] ?? ''))).toEqual(
    [],
  );
});

test('the settings that docs/http-caching.md names are in docs/configuration.md', () => {
  const manual = readFileSync(join(root, 'docs/configuration.md'), 'utf8');
  const named = caching.flatMap(([, , , setting = '']) =>
    [...setting.matchAll(/`([a-zA-Z.[\]]{5,})`/g)].map(([, name = '']) => name),
  );
  expect(named).toContain('storeSetCookie');
  const values = ['explicit'];
  const missing = named.filter((name) => !values.includes(name) && !manual.includes(name));
  expect(missing).toEqual([]);
});

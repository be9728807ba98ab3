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

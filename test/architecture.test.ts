import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { housedPackages, importViolation, roomOf } from './architecture-rules.ts';
import { importCircle } from './import-circles.ts';
import { readSources } from './source-files.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const all = readSources(root);
const sources = all.filter(({ path }) => path.startsWith('src/'));
const packageJson: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Names of files below a folder, from the root, with forward slashes. */
function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replaceAll('\\', '/'));
}

function dependencies(): string[] {
  if (typeof packageJson !== 'object' || packageJson === null) return [];
  return 'dependencies' in packageJson ? Object.keys(packageJson.dependencies ?? {}) : [];
}

const importedPackages = new Set(
  sources
    .flatMap(({ imports }) => imports)
    .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:')),
);

test('every TypeScript file below src is looked at, and is in a room', () => {
  const files = filesBelow('src').filter((path) => path.endsWith('.ts'));
  expect(sources.map(({ path }) => path).sort()).toEqual(files.sort());
  expect(files.filter((path) => roomOf(path) === undefined)).toEqual([]);
});

test('each room imports only what it may, and npm packages only in their home', () => {
  const violations = sources.flatMap(({ path, imports }) =>
    imports.flatMap((specifier) => {
      const reason = importViolation(path, specifier);
      return reason === undefined ? [] : [`${path} imports ${specifier}: ${reason}`];
    }),
  );
  expect(violations).toEqual([]);
});

test('no files import each other in a circle, not even for types', () => {
  expect(importCircle(all)).toEqual([]);
});

test('every dependency has a home and is imported', () => {
  expect(dependencies().filter((name) => !housedPackages.includes(name))).toEqual([]);
  expect(dependencies().filter((name) => !importedPackages.has(name))).toEqual([]);
  expect(housedPackages.filter((name) => !dependencies().includes(name))).toEqual([]);
});

test('only src/main.ts touches the process', () => {
  const users = sources.filter(({ usesProcess }) => usesProcess).map(({ path }) => path);
  expect(users.filter((path) => path !== 'src/main.ts')).toEqual([]);
});

test('no file is over 300 lines', () => {
  const long = sources.filter(({ lines }) => lines > 300).map(({ path }) => path);
  expect(long).toEqual([]);
});

test('file names are in kebab-case', () => {
  const kebab = /^(?:[a-z0-9-]+\/)*[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+)+$/;
  const files = [...filesBelow('src'), ...filesBelow('test')];
  expect(files.filter((path) => path.endsWith('.ts') && !kebab.test(path))).toEqual([]);
});

test('there are no default exports, no imports for effect and no mutable variables of a module', () => {
  const violations = sources.flatMap(
    ({ path, hasDefaultExport, bareImports, mutableVariables }) => [
      ...(hasDefaultExport ? [`${path} has a default export`] : []),
      ...bareImports.map((name) => `${path} imports ${name} for its effect`),
      ...mutableVariables.map((name) => `${path} has the mutable variable ${name}`),
    ],
  );
  expect(violations).toEqual([]);
});

describe('the checks themselves', () => {
  test.each([
    ['src/telemetry/log.ts', '../core/errors.ts', true],
    ['src/telemetry/log.ts', './redact.ts', true],
    ['src/telemetry/log.ts', '../policy/decide.ts', false],
    ['src/storage/engines/disk.ts', '../../policy/byte-range.ts', true],
    ['src/storage/engines/disk.ts', '../../policy/decide.ts', false],
    ['src/pipeline/serve.ts', '../storage/store.ts', true],
    ['src/pipeline/serve.ts', '../storage/tiers.ts', false],
    ['src/surfaces/mount.ts', '../ecosystems/index.ts', false],
    ['src/core/errors.ts', '../policy/decide.ts', false],
    ['src/core/errors.ts', './outcome', false],
    ['src/gateway.ts', './telemetry/telemetry.ts', true],
    ['src/gateway-view.ts', './telemetry/telemetry.ts', true],
    ['src/cli/serve.ts', '../gateway-view.ts', false],
    ['src/elsewhere/a.ts', '../core/errors.ts', false],
    ['src/upstream/transport-errors.ts', 'undici', true],
    ['src/upstream/download.ts', 'undici', false],
    ['src/telemetry/log.ts', 'pino/file.js', true],
    ['src/storage/records.ts', '@keyv/sqlite', true],
    ['src/config/load.ts', 'left-pad', false],
    ['src/config/load.ts', 'node:process', false],
  ])('%s importing %s is allowed: %s', (path, specifier, allowed) => {
    expect(importViolation(path, specifier) === undefined).toBe(allowed);
  });

  test.each([
    [
      'a pair',
      { 'src/a.ts': ['./b.ts'], 'src/b.ts': ['./a.ts'] },
      ['src/a.ts', 'src/b.ts', 'src/a.ts'],
    ],
    [
      'a longer one behind others, across folders',
      {
        'src/main.ts': ['./x/a.ts', 'node:fs'],
        'src/x/a.ts': ['./leaf.ts', '../y/b.ts'],
        'src/x/leaf.ts': [],
        'src/y/b.ts': ['./c.ts'],
        'src/y/c.ts': ['../x/leaf.ts', '../x/a.ts'],
      },
      ['src/x/a.ts', 'src/y/b.ts', 'src/y/c.ts', 'src/x/a.ts'],
    ],
    ['none', { 'src/a.ts': ['./b.ts', './c.ts'], 'src/b.ts': ['./c.ts'], 'src/c.ts': ['zod'] }, []],
  ])('a circle of imports is found: %s', (_name, files, circle) => {
    const facts = Object.entries(files).map(([path, imports]) => ({ path, imports }));
    expect(importCircle(facts)).toEqual(circle);
  });

  test('facts are read from the syntax, not from words in comments and strings', () => {
    const project = mkdtempSync(join(tmpdir(), 'millrace-architecture-'));
    onTestFinished(() => rmSync(project, { recursive: true }));
    mkdirSync(join(project, 'src'));
    const options = { noLib: true, types: [], module: 'nodenext', noEmit: true };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: options }));
    const write = (name: string, text: string) => writeFileSync(join(project, 'src', name), text);
    write(
      'bad.ts',
      `import 'effect';\nimport type { T } from './types.ts';\nexport * from '../a.ts';\n` +
        `const later = () => import('dynamic');\nlet state = 1;\n` +
        `const { env } = globalThis.process;\nexport { later as default };\n`,
    );
    write(
      'good.ts',
      `// process.exit, let x = 1, export default\nexport const text = "import 'a'; process.env";\n` +
        `export function f(x: { process: number }) { let n = x.process; switch (n) { default: n++; } return n; }\n`,
    );
    write('shorthand.ts', 'export const probe = { process };\nexport default function g() {}\n');
    const facts = new Map(readSources(project).map((each) => [each.path, each]));
    expect(facts.get('src/bad.ts')).toEqual({
      path: 'src/bad.ts',
      lines: 7,
      imports: ['effect', './types.ts', '../a.ts', 'dynamic'],
      bareImports: ['effect'],
      hasDefaultExport: true,
      usesProcess: true,
      mutableVariables: ['state'],
    });
    expect(facts.get('src/good.ts')).toMatchObject({
      imports: [],
      hasDefaultExport: false,
      usesProcess: false,
      mutableVariables: [],
    });
    expect(facts.get('src/shorthand.ts')).toMatchObject({
      usesProcess: true,
      hasDefaultExport: true,
    });
  });
});

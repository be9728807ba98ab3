import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface LockedPackage {
  readonly resolved?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const text = readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8');
const { packages } = JSON.parse(text) as { packages: Record<string, LockedPackage> };

test('the lockfile has the packages of every platform, else npm ci refuses it', () => {
  // npm leaves out optional packages that its registry does not have.
  const missing = Object.entries(packages).flatMap(([path, locked]) =>
    Object.keys({ ...locked.dependencies, ...locked.optionalDependencies })
      .filter((name) => !isLocked(path, name))
      .map((name) => `${name} of ${path}`),
  );
  expect(missing).toEqual([]);
});

test('the lockfile names no host', () => {
  const hosts = Object.values(packages).filter(({ resolved }) => resolved?.includes('://'));
  expect(hosts).toEqual([]);
});

/** As Node looks a package up: below its dependent's own folder, then below each one above. */
function isLocked(dependent: string, name: string): boolean {
  const parts = dependent === '' ? [] : dependent.split(/(?<=.)\/(?=node_modules\/)/);
  return [...parts.keys(), parts.length].some(
    (depth) => packages[[...parts.slice(0, depth), `node_modules/${name}`].join('/')] !== undefined,
  );
}

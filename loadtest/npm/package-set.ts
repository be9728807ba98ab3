import { createHash } from 'node:crypto';

/** One package of the generated registry. */
export interface GeneratedPackage {
  readonly name: string;
  /** The only version that has a tarball: the latest. */
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  /** Unpacked bytes, all files together. */
  readonly size: number;
  /** How many versions its document lists, this one included. */
  readonly versions: number;
}

/** Packages that the project itself depends on. */
export const directDependencies = 20;

const smallest = 6 * 1024;
const largest = 3 * 1024 * 1024;

/**
 * `count` packages that depend on each other as a tree. Sizes and numbers of versions are spread as they
 * are among real ones: most are small, a few are very large, and the same in each run.
 */
export function packageSet(count: number): readonly GeneratedPackage[] {
  return Array.from({ length: count }, (_, index) => {
    const children = [0, 1]
      .map((child) => directDependencies + 2 * index + child)
      .filter((child) => child < count);
    return {
      name: nameOf(index),
      version: `1.${index % 7}.${index % 11}`,
      dependencies: Object.fromEntries(children.map((child) => [nameOf(child), '^1.0.0'])),
      size: Math.min(largest, Math.round(smallest / (1 - fraction(`size ${index}`)) ** 0.9)),
      versions: Math.min(400, Math.ceil(8 / (1 - fraction(`versions ${index}`)) ** 0.8)),
    };
  });
}

/** One in eight has a scope. */
function nameOf(index: number): string {
  const name = `nail-${String(index).padStart(3, '0')}`;
  return index % 8 === 7 ? `@tools/${name}` : name;
}

/** Of the text alone, from 0 up to but not including 1. */
function fraction(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32;
}

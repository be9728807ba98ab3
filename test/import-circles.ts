import { posix } from 'node:path';
import type { SourceFacts } from './source-files.ts';

/**
 * Files that import each other in a circle, of types too: their paths in order, the first one again at
 * the end. Empty: there is none.
 */
export function importCircle(sources: readonly Pick<SourceFacts, 'path' | 'imports'>[]): string[] {
  const left = new Map(
    sources.map(({ path, imports }) => [
      path,
      imports.map((specifier) => posix.join(posix.dirname(path), specifier)),
    ]),
  );
  const next = (path: string) => left.get(path)?.find((target) => left.has(target));
  for (let before = Number.POSITIVE_INFINITY; left.size < before; ) {
    before = left.size;
    for (const path of [...left.keys()]) if (next(path) === undefined) left.delete(path);
  }
  // Each that is left imports another one: whoever follows them comes round.
  const way: string[] = [];
  for (let [path] = left.keys(); path !== undefined; path = next(path)) {
    way.push(path);
    if (way.indexOf(path) < way.length - 1) break;
  }
  return way.slice(way.indexOf(way.at(-1) ?? ''));
}

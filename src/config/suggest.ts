import { distance } from 'fastest-levenshtein';

/**
 * The candidate that `word` was probably meant to be, or undefined when none is near. Case, `-` and
 * `_` do not count; two letters may differ, one in a short word, a third of them in a long one. Letters
 * in another order are one that differs.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const wanted = plain(word);
  let best: string | undefined;
  let least = (wanted.length < 4 ? 1 : Math.max(2, Math.floor(wanted.length / 3))) + 1;
  for (const candidate of candidates) {
    const far = differing(wanted, plain(candidate));
    if (far < least) {
      least = far;
      best = candidate;
    }
  }
  return best;
}

/**
 * The setting that an unknown key stands for: one beside it, else one of that name elsewhere (`port`
 * at the top is `listen.port`). `paths` are all settings; the answer is a whole path.
 */
export function nearestSetting(
  parent: string,
  key: string,
  siblings: readonly string[],
  paths: readonly string[],
): string | undefined {
  const here = nearest(key, siblings);
  if (here !== undefined) return parent === '' ? here : `${parent}.${here}`;
  const named = paths.find((path) => plain(path.slice(path.lastIndexOf('.') + 1)) === plain(key));
  return named ?? nearest(key, paths);
}

function differing(a: string, b: string): number {
  const far = distance(a, b);
  return far > 1 && sorted(a) === sorted(b) ? 1 : far;
}

function sorted(word: string): string {
  return [...word].sort().join('');
}

function plain(word: string): string {
  return word.toLowerCase().replace(/[-_]/g, '');
}

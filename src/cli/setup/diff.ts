import { bare, splitLines } from './edits/lines.ts';

/**
 * What changes between two texts: a line each with `-` or `+` before it, and the line of the old text
 * where a change begins. Lines that stay are not shown: they may hold tokens.
 */
export function diffLines(before: string, after: string): string[] {
  const old = splitLines(before).map(shown);
  const now = splitLines(after).map(shown);
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let end = 0;
  const most = Math.min(old.length, now.length) - start;
  while (end < most && old[old.length - 1 - end] === now[now.length - 1 - end]) end += 1;
  const changes = changesBetween(
    old.slice(start, old.length - end),
    now.slice(start, now.length - end),
  );
  let line = start + 1;
  const lines: string[] = [];
  let inChange = false;
  for (const { sign, text } of changes) {
    if (sign === ' ') inChange = false;
    else {
      if (!inChange) lines.push(`@@ line ${line} @@`);
      inChange = true;
      lines.push(`${sign}${withoutSecrets(text)}`);
    }
    if (sign !== '+') line += 1;
  }
  return lines;
}

interface Change {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

/** By the longest common subsequence; configuration files are short. */
function changesBetween(old: readonly string[], now: readonly string[]): Change[] {
  if (old.length * now.length > 4_000_000) {
    return [...old.map(removed), ...now.map(added)];
  }
  const width = now.length + 1;
  const lengths = new Uint32Array((old.length + 1) * width);
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] =
        old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const changes: Change[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      changes.push({ sign: ' ', text: old[i] ?? '' });
      [i, j] = [i + 1, j + 1];
    } else if (i < old.length && (j === now.length || at(i + 1, j) >= at(i, j + 1))) {
      changes.push(removed(old[i] ?? ''));
      i += 1;
    } else {
      changes.push(added(now[j] ?? ''));
      j += 1;
    }
  }
  return changes;
}

const removed = (text: string): Change => ({ sign: '-', text });
const added = (text: string): Change => ({ sign: '+', text });

/** A line as it is compared: one without an end is another one. */
function shown(line: string): string {
  return line.endsWith('\n') ? bare(line) : `${line} (no newline at the end)`;
}

/** A line that is replaced may hold a password in its URL. */
function withoutSecrets(line: string): string {
  return line.replace(/\/\/[^/\s@"']+@/g, '//***@');
}

import type { Random } from './random.ts';

const insertions = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '"',
  '%0d%0a',
  '0',
  '\r\n ',
  '\r\n\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Content-Length: 3\r\n',
  'Content-Length: 0\r\n',
  'Host: y\r\n',
  'Connection: close\r\n',
] as const;

/** A message (latin1) with up to four small things wrong: bytes changed, lost, inserted or repeated. */
export function mutate(text: string, random: Random): string {
  // Most of what matters is in the head, and bodies are long.
  const reach = random.chance(0.8) ? text.indexOf('\r\n\r\n') + 4 : text.length;
  let mutated = text;
  for (let left = 1 + random.below(4); left > 0; left -= 1) {
    const at = random.below(Math.min(reach, mutated.length) + 1);
    mutated = mutateAt(mutated, at, random);
  }
  return mutated;
}

function mutateAt(text: string, at: number, random: Random): string {
  const before = text.slice(0, at);
  const behind = text.slice(at);
  switch (random.below(7)) {
    case 0:
      return before + String.fromCharCode(random.below(256)) + behind.slice(1);
    case 1:
      return before + behind.slice(1 + random.below(8));
    case 2: {
      const again = behind.slice(0, random.below(200));
      return before + again + behind;
    }
    case 3:
      // Cut off, but not always: nothing would be left of the other mutations.
      return random.chance(0.3) ? before : text;
    case 4:
      return before + behind.slice(0, 1).toUpperCase() + behind.slice(1);
    default:
      return before + random.pick(insertions) + behind;
  }
}

/** A text in pieces: mostly one, else cut anywhere, also between CR and LF. */
export function split(text: string, random: Random): readonly string[] {
  if (random.chance(0.6)) return [text];
  const longest = random.pick([1, 20, 300, 5000]);
  const pieces: string[] = [];
  for (let at = 0; at < text.length && pieces.length < 200; ) {
    const length = 1 + random.below(longest);
    pieces.push(text.slice(at, at + length));
    at += length;
  }
  const cut = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return cut < text.length ? [...pieces, text.slice(cut)] : pieces;
}

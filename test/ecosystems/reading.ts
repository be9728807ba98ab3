import type { Classification } from '../../src/core/classification.ts';
import type { Digest } from '../../src/core/digest.ts';

/** What an index becomes, given in pieces of `size` bytes. Throws where nothing is rewritten. */
export function rewritten(answer: Classification, document: string, size = 7): string {
  if (answer.kind !== 'index' || !answer.rewrite) throw new Error('nothing is rewritten');
  const rewriter = answer.rewrite.create();
  const pieces = piecesOf(document, size).flatMap((piece) => rewriter.push(piece));
  return Buffer.concat([...pieces, ...rewriter.end()]).toString();
}

/** The digest that a document gives an artifact. Throws where there is nothing to look in. */
export function digestIn(
  answer: Classification,
  document: string | Uint8Array,
  size = 7,
): Digest | undefined {
  if (answer.kind !== 'artifact' || !answer.digestFrom) throw new Error('no place to look');
  const finder = answer.digestFrom.find();
  for (const piece of piecesOf(document, size)) finder.push(piece);
  return finder.digest();
}

function piecesOf(document: string | Uint8Array, size: number): Uint8Array[] {
  const bytes = Buffer.from(document as string);
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
}

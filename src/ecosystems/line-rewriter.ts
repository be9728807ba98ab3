import type { Rewriter } from '../core/classification.ts';

/**
 * Replaces lines of a document and leaves all others byte for byte. Lines are given and taken as
 * Latin 1, so that each character is a byte. One that is longer than the bound goes through as it is;
 * the carry holds no more than that.
 */
export class LineRewriter implements Rewriter {
  readonly #maxBytes: number;
  readonly #map: (line: string) => string | undefined;
  /** The line that has begun. */
  #carry = '';
  /** Inside a line that is too long. */
  #passing = false;

  /** `map` gets a line without its end; undefined leaves its bytes alone. */
  constructor(maxBytes: number, map: (line: string) => string | undefined) {
    this.#maxBytes = maxBytes;
    this.#map = map;
  }

  push(chunk: Uint8Array): readonly Uint8Array[] {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const text = this.#carry + bytes.toString('latin1');
    const pieces: string[] = [];
    let taken = 0;
    let at = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', at)) {
      const line = this.#passing ? undefined : text.slice(at, end);
      this.#passing = false;
      const replacement = line === undefined ? undefined : this.#mapped(line);
      if (replacement !== undefined) {
        pieces.push(text.slice(taken, at), replacement);
        taken = end;
      }
      at = end + 1;
    }
    this.#passing ||= text.length - at > this.#maxBytes;
    this.#carry = this.#passing ? '' : text.slice(at);
    pieces.push(text.slice(taken, this.#passing ? undefined : at));
    return bytesOf(pieces.join(''));
  }

  end(): readonly Uint8Array[] {
    const rest = this.#carry;
    this.#carry = '';
    return bytesOf(rest === '' ? '' : (this.#mapped(rest) ?? rest));
  }

  #mapped(line: string): string | undefined {
    return line.length > this.#maxBytes ? undefined : this.#map(line);
  }
}

function bytesOf(text: string): readonly Uint8Array[] {
  return text === '' ? [] : [Buffer.from(text, 'latin1')];
}

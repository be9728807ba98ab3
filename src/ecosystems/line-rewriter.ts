import type { Rewriter } from '../core/classification.ts';

const newline = 0x0a;

/**
 * Replaces lines of a document of UTF-8 and leaves all others byte for byte. One that is longer than
 * the bound goes through as it is; the carry holds no more than that.
 */
export class LineRewriter implements Rewriter {
  readonly #maxBytes: number;
  readonly #map: (line: string) => string | undefined;
  #carry: Buffer = Buffer.alloc(0);
  /** Inside a line that is too long. */
  #passing = false;

  /** `map` gets a line without its end; undefined leaves its bytes alone. */
  constructor(maxBytes: number, map: (line: string) => string | undefined) {
    this.#maxBytes = maxBytes;
    this.#map = map;
  }

  push(chunk: Uint8Array): readonly Uint8Array[] {
    const bytes = Buffer.concat([this.#carry, chunk]);
    this.#carry = Buffer.alloc(0);
    const pieces: Buffer[] = [];
    let taken = 0;
    let at = 0;
    while (at < bytes.length) {
      const end = bytes.indexOf(newline, at);
      if (end === -1) {
        if (!this.#passing && bytes.length - at <= this.#maxBytes) {
          this.#carry = Buffer.from(bytes.subarray(at));
          pieces.push(bytes.subarray(taken, at));
          return pieces.filter((piece) => piece.length > 0);
        }
        this.#passing = true;
        break;
      }
      const replacement = this.#passing ? undefined : this.#mapped(bytes.subarray(at, end));
      this.#passing = false;
      if (replacement !== undefined) {
        pieces.push(bytes.subarray(taken, at), Buffer.from(replacement));
        taken = end;
      }
      at = end + 1;
    }
    pieces.push(bytes.subarray(taken));
    return pieces.filter((piece) => piece.length > 0);
  }

  end(): readonly Uint8Array[] {
    const rest = this.#carry;
    this.#carry = Buffer.alloc(0);
    if (rest.length === 0) return [];
    const replacement = this.#mapped(rest);
    return [replacement === undefined ? rest : Buffer.from(replacement)];
  }

  #mapped(line: Buffer): string | undefined {
    const text = line.length > this.#maxBytes ? undefined : line.toString('utf8');
    // What is not UTF-8 would not survive the way back.
    return text === undefined || text.includes('\ufffd') ? undefined : this.#map(text);
  }
}

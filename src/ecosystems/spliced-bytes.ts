/**
 * Bytes in which some stretches are replaced by texts, given in their order. They are copied once, and
 * only where there are any: a view of each stretch would cost more than its bytes.
 */
export class SplicedBytes {
  readonly #source: Buffer;
  #copy: Buffer | undefined;
  #length = 0;
  /** How much of the source is in the copy, or left out of it. */
  #taken = 0;

  constructor(source: Buffer) {
    this.#source = source;
  }

  /** Puts `text` (as UTF-8) in place of the bytes from `from` up to `to`. */
  replace(from: number, to: number, text: string): void {
    const copy = this.#keep(from, 3 * text.length);
    this.#length += copy.write(text, this.#length);
    this.#taken = to;
  }

  /** All up to `end`, in one piece; none where that is nothing. Without replacements a view. */
  upTo(end: number): readonly Uint8Array[] {
    const bytes =
      this.#copy === undefined
        ? this.#source.subarray(0, end)
        : this.#keep(end, 0).subarray(0, this.#length);
    return bytes.length > 0 ? [bytes] : [];
  }

  /** The copy, with the source up to `end` in it and room for `more` bytes. */
  #keep(end: number, more: number): Buffer {
    const needed = this.#length + end - this.#taken + more;
    let copy = this.#copy;
    if (copy === undefined || copy.length < needed) {
      const roomy = Math.max(needed, this.#source.length) * 1.125;
      const larger = Buffer.allocUnsafe(Math.ceil(roomy));
      copy?.copy(larger, 0, 0, this.#length);
      copy = larger;
      this.#copy = copy;
    }
    this.#length += this.#source.copy(copy, this.#length, this.#taken, end);
    this.#taken = end;
    return copy;
  }
}

import { minResumedBytes } from './disk-partial-log.ts';

/** What all such bodies hold at most, in bytes; one that comes then is written while it arrives. */
const mostBytes = 32 * 1024 * 1024;

/**
 * Counts the bodies that are to be files, but are in memory whole until all of them is there: one write
 * then costs less than many before, and the memory tier keeps the bytes without reading them.
 */
export class WholeBodies {
  readonly #inlineBytes: number;
  #bytes = 0;

  /** `inlineBytes`: up to this size a body is no file, and counts elsewhere. */
  constructor(inlineBytes: number) {
    this.#inlineBytes = inlineBytes;
  }

  /** Whether a body of `size` bytes may be in memory until it is whole. */
  take(size: number): boolean {
    if (size <= this.#inlineBytes) return true;
    // What would be taken up after a crash has to be written.
    if (size > minResumedBytes || this.#bytes + size > mostBytes) return false;
    this.#bytes += size;
    return true;
  }

  /** Of a body that was taken, and needs this first. */
  async unlessFails<T>(size: number, needed: Promise<T>): Promise<T> {
    try {
      return await needed;
    } catch (error) {
      this.give(size);
      throw error;
    }
  }

  /** Of a body that was taken, once. */
  give(size: number): void {
    if (size > this.#inlineBytes) this.#bytes -= size;
  }
}

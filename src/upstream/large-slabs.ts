/** The memory of one, in bytes. */
const slabBytes = 1024 * 1024;
/** So many there are at a time, whoever holds them. */
const most = 6;
/** Of the last so many who wanted one, more than so many were different: all have smaller ones. */
const watched = 8;
const few = 2;
/** More readers than these share what is read: it stays in the processor's cache for all only in smaller pieces. */
const fewReaders = 4;

/**
 * Memory for connections whose reads fill what they have: the more one read brings, the fewer reads
 * there are, and each costs the same. One for all connections, because whoever the bytes go to holds
 * as much more of them: it is for a body or two at a time, and where more come there is none.
 */
export class LargeSlabs {
  readonly #waiting: Buffer[] = [];
  readonly #wanted: symbol[] = [];
  readonly #readers: () => number;
  #alive = 0;
  /** Who keeps one for good lets go of it some day, and says so to nobody else. */
  readonly #collected = new FinalizationRegistry<undefined>(() => {
    this.#alive -= 1;
  });

  /** `readers`: how many clients' bodies are on their way. */
  constructor(readers: () => number = () => 1) {
    this.#readers = readers;
  }

  /** For `connection`; undefined: it has to do with less. */
  take(connection: symbol): Buffer | undefined {
    this.#wanted.push(connection);
    if (this.#wanted.length > watched) this.#wanted.shift();
    if (this.#areMany || this.#readers() > fewReaders) {
      this.#waiting.length = 0;
      return undefined;
    }
    const waiting = this.#waiting.pop();
    if (waiting || this.#alive === most) return waiting;
    const memory = Buffer.allocUnsafeSlow(slabBytes);
    this.#alive += 1;
    // The memory itself: parts of it outlive this view.
    this.#collected.register(memory.buffer, undefined);
    return memory;
  }

  /** One that was taken: nobody looks at it any more. */
  giveBack(memory: Buffer): void {
    if (!this.#areMany) this.#waiting.push(memory);
  }

  get #areMany(): boolean {
    return new Set(this.#wanted).size > few;
  }
}

import { type FillReader, slowest, waitedFor } from './fill-reader.ts';
import type { RecentChunks } from './recent-chunks.ts';

/** How long a reader may hold back others, in milliseconds. */
const stallMs = 5_000;

/**
 * Where nothing is stored the slowest reader sets the pace: what it has still to take stays in memory,
 * and no more than that.
 */
export class Pace {
  readonly #recent: RecentChunks;
  readonly #readers: ReadonlySet<FillReader>;
  readonly #most: number;
  readonly #goOn: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** `most`: bytes in memory; `goOn`: there may be room again. */
  constructor(
    recent: RecentChunks,
    readers: ReadonlySet<FillReader>,
    most: number,
    goOn: () => void,
  ) {
    this.#recent = recent;
    this.#readers = readers;
    this.#most = most;
    this.#goOn = goOn;
  }

  /** Whether there is room for more; `held`: somebody is about to read from the first byte. */
  hasRoom(held: boolean): boolean {
    if (this.#readers.size > 0) this.#recent.dropBefore(held ? 0 : slowest(this.#readers));
    if (this.#recent.bytes < this.#most) return true;
    this.#timer ??= setTimeout(() => this.#dropStalled(), stallMs).unref();
    return false;
  }

  /** Nobody is waited for. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** One stalled client must not hold back the others. */
  #dropStalled(): void {
    this.#timer = undefined;
    for (const reader of waitedFor([...this.#readers], this.#most / 2)) reader.drop();
    this.#goOn();
  }
}

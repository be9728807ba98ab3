/** Broken connections in a row, without a byte between them, after which the body is given up. */
const maxBreaks = 3;
/** A connection that broke off after fewer bytes was hardly worth it; so many in a row are enough. */
const poorBytes = 64 * 1024;
const maxPoor = 8;
/** Refusals in a row, without a byte between them, after which the body is given up. */
const maxRefusals = 5;
/** How long is waited after the first refusal, in milliseconds; twice as long after each other one. */
const firstWaitMs = 250;

/** What went wrong with a body's connections, and how much more of it is borne. */
export class Breaks {
  #inARow = 0;
  #poor = 0;
  #refusals = 0;
  #timer: NodeJS.Timeout | undefined;

  /** So many breaks that there is no use in going on. */
  get tooMany(): boolean {
    return this.#inARow > maxBreaks;
  }

  /** So many parts broke off early that no part can be trusted. */
  get tooPoor(): boolean {
    return this.#poor > maxPoor;
  }

  /** Bytes came. */
  took(): void {
    this.#inARow = 0;
    this.#refusals = 0;
  }

  /** A connection came to its end. */
  ended(): void {
    this.#poor = 0;
  }

  /** One broke off after so many bytes; undefined: it never answered. */
  broke(brought?: number): void {
    this.#inARow += 1;
    if (brought !== undefined) this.#poor = brought < poorBytes ? this.#poor + 1 : 0;
  }

  /** The upstream does not serve now: `again` is called when it is time; false: enough is enough. */
  refused(again: () => void): boolean {
    this.#refusals += 1;
    if (this.#refusals > maxRefusals) return false;
    this.stop();
    this.#timer = setTimeout(again, firstWaitMs * 2 ** (this.#refusals - 1));
    return true;
  }

  /** Nothing is asked again. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}

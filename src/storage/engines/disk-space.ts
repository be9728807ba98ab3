import { misuse, storageFull } from '../storage-error.ts';

/** Space held for something that is being written. */
export interface Reservation {
  /** Bytes held. */
  readonly bytes: number;
  /** Holds more where there is space already; false: ask `grow`. */
  growNow(more: number): boolean;
  /** Holds more, or throws `storage_full` and holds what it held. */
  grow(more: number): Promise<void>;
  /** Holds no more than this. */
  shrinkTo(bytes: number): void;
  /** Lets go what is held; any number of times. */
  release(): void;
  /** What is held becomes what was stored: `bytes` more (or less) than before. */
  settle(bytes: number): void;
}

interface Waiter {
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Account {
  holdNow(bytes: number): boolean;
  hold(bytes: number): Promise<void>;
  /** Changes what is reserved, how much of that is for partial bodies, and what is stored. */
  change(reserved: number, partial: number, stored: number): void;
}

class Held implements Reservation {
  #bytes: number;
  #ended = false;
  readonly #partial: boolean;
  readonly #account: Account;

  constructor(bytes: number, partial: boolean, account: Account) {
    this.#bytes = bytes;
    this.#partial = partial;
    this.#account = account;
  }

  get bytes(): number {
    return this.#bytes;
  }

  growNow(more: number): boolean {
    if (this.#ended) throw misuse('the reservation has ended');
    if (!this.#account.holdNow(more)) return false;
    this.#grown(more);
    return true;
  }

  async grow(more: number): Promise<void> {
    await this.#account.hold(more);
    if (this.#ended) {
      this.#account.change(-more, 0, 0);
      throw misuse('the reservation has ended');
    }
    this.#grown(more);
  }

  shrinkTo(most: number): void {
    this.#give(Math.max(0, this.#bytes - most), 0);
  }

  release(): void {
    this.settle(0);
  }

  settle(stored: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#give(this.#bytes, stored);
  }

  #grown(more: number): void {
    this.#bytes += more;
    this.#account.change(0, this.#partial ? more : 0, 0);
  }

  #give(bytes: number, stored: number): void {
    this.#bytes -= bytes;
    this.#account.change(-bytes, this.#partial ? -bytes : 0, stored);
  }
}

/**
 * The bound of the disk tier. Nothing is written that was not reserved before, and reserving evicts
 * first, so the sum of what is stored, reserved and not yet deleted never exceeds it.
 */
export class DiskSpace {
  readonly maxBytes: number;
  readonly #evict: (bytes: number) => Promise<boolean>;
  readonly #waiters: Waiter[] = [];
  #serving = false;
  #stored = 0;
  #reserved = 0;
  #partial = 0;
  #dying = 0;
  /** What reservations change: one object for all of them. */
  readonly #account: Account = {
    holdNow: (bytes) => this.#holdNow(bytes),
    hold: (bytes) => this.#hold(bytes),
    change: (reserved, partial, stored) => {
      this.#reserved += reserved;
      this.#partial += partial;
      this.#stored += stored;
    },
  };

  /** `evict` frees about that many bytes; false when nothing is left to evict. */
  constructor(maxBytes: number, evict: (bytes: number) => Promise<boolean>) {
    this.maxBytes = maxBytes;
    this.#evict = evict;
  }

  /** Bytes held against the bound. */
  get bytes(): number {
    return this.#stored + this.#reserved + this.#dying;
  }

  /** Bytes of those that are held for partial bodies. */
  get partialBytes(): number {
    return this.#partial;
  }

  /** What the database says is stored. */
  setStored(bytes: number): void {
    this.#stored = bytes;
  }

  /** What is stored changed without a reservation: something was removed. */
  change(bytes: number): void {
    this.#stored += bytes;
  }

  /** Bytes that are forgotten but still on the medium; negative when they left it. */
  changeDying(bytes: number): void {
    this.#dying += bytes;
  }

  /** Holds `bytes`, after evicting what is needed; throws `storage_full` when that cannot be. */
  async reserve(bytes: number, kind: 'partial' | 'record'): Promise<Reservation> {
    await this.#hold(bytes);
    return this.#reservation(bytes, kind === 'partial');
  }

  /** The same where there is space already; undefined: ask `reserve`. */
  reserveNow(bytes: number, kind: 'partial' | 'record'): Reservation | undefined {
    return this.#holdNow(bytes) ? this.#reservation(bytes, kind === 'partial') : undefined;
  }

  /** Holds what is on the medium already for a partial body of an earlier run. */
  adopt(bytes: number): Reservation {
    this.#reserved += bytes;
    return this.#reservation(bytes, true);
  }

  #reservation(bytes: number, partial: boolean): Reservation {
    if (partial) this.#partial += bytes;
    return new Held(bytes, partial, this.#account);
  }

  /** In the order of asking: a large body is not starved by small ones that come later. */
  async #hold(bytes: number): Promise<void> {
    if (bytes > this.maxBytes) throw storageFull('the body is larger than the whole cache may be');
    if (this.#holdNow(bytes)) return;
    await new Promise<void>((resolve, reject) => {
      this.#waiters.push({ bytes, resolve, reject });
      if (!this.#serving) void this.#serve();
    });
  }

  /** Not before others that wait. */
  #holdNow(bytes: number): boolean {
    if (this.#waiters.length > 0 || !this.#fits(bytes)) return false;
    this.#reserved += bytes;
    return true;
  }

  async #serve(): Promise<void> {
    this.#serving = true;
    for (let first = this.#waiters[0]; first; first = this.#waiters[0]) {
      try {
        while (!this.#fits(first.bytes)) {
          if (!(await this.#evict(this.bytes + first.bytes - this.maxBytes))) {
            throw storageFull('the cache is full and nothing can be evicted');
          }
        }
        this.#reserved += first.bytes;
        first.resolve();
      } catch (error) {
        first.reject(error);
      }
      this.#waiters.shift();
    }
    this.#serving = false;
  }

  #fits(bytes: number): boolean {
    return this.bytes + bytes <= this.maxBytes;
  }
}

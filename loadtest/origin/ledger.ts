import { monotonicMs } from '../processes/monotonic.ts';

/** What the origin was asked for one path. */
export interface Account {
  readonly requests: number;
  /** Body bytes handed to sockets. */
  readonly bodyBytes: number;
  /** When half of the first response's body had gone; on the clock of `monotonicMs`. */
  readonly halfAt: number | undefined;
}

/** Counts requests and bytes by path. */
export class Ledger {
  readonly #accounts = new Map<string, { requests: number; bodyBytes: number; halfAt?: number }>();

  request(path: string): void {
    const account = this.#of(path);
    account.requests += 1;
  }

  sent(path: string, bytes: number, size: number): void {
    const account = this.#of(path);
    account.bodyBytes += bytes;
    if (account.halfAt === undefined && account.bodyBytes * 2 >= size) {
      account.halfAt = monotonicMs();
    }
  }

  /** The accounts of the paths, in that order; they begin anew. */
  take(paths: readonly string[]): Account[] {
    return paths.map((path) => {
      const { requests, bodyBytes, halfAt } = this.#of(path);
      this.#accounts.delete(path);
      return { requests, bodyBytes, halfAt };
    });
  }

  #of(path: string): { requests: number; bodyBytes: number; halfAt?: number } {
    let account = this.#accounts.get(path);
    if (!account) {
      account = { requests: 0, bodyBytes: 0 };
      this.#accounts.set(path, account);
    }
    return account;
  }
}

import type { HitMemo, HitsByLine, Profile } from './hit-memo.ts';
import type { PreparedHit } from './prepared-hit.ts';
import { headEnd } from './simple-heads.ts';

/** A hit, and where it was found. */
export interface Found {
  readonly hits: HitsByLine;
  readonly line: string;
  readonly hit: PreparedHit;
}

/** The field lines that came last on a connection, and what they mean: most of its heads have the same. */
export class LastFields {
  readonly #current: () => HitMemo<unknown>;
  #memo: HitMemo<unknown> | undefined;
  #block = '';
  #profile: Profile | undefined;
  /** What a head with that block ends with, from the end of its request line on. */
  #tail = '';

  /** `current`: the memo of the moment. */
  constructor(current: () => HitMemo<unknown>) {
    this.#current = current;
  }

  /** Whether these are they. */
  are(block: string): boolean {
    return block === this.#block;
  }

  profileOf(block: string): Profile {
    const memo = this.#current();
    if (this.#profile === undefined || block !== this.#block || memo !== this.#memo) {
      this.#profile = memo.profileOf(block);
      this.#block = block;
      this.#tail = `\r\n${block}${headEnd}`;
      this.#memo = memo;
    }
    return this.#profile;
  }

  /** The hit of a whole head with these fields. */
  find(head: string): Found | undefined {
    const hits = this.#profile?.plain?.hits;
    if (hits === undefined || this.#memo !== this.#current()) return undefined;
    if (!head.endsWith(this.#tail)) return undefined;
    const line = head.slice(0, head.length - this.#tail.length);
    const hit = hits.get(line);
    return hit && { hits, line, hit };
  }

  /** Forgets what is not to be repeated any more. */
  drop({ hits, line }: Found): void {
    this.#memo?.drop(hits, line);
  }
}

import type { HitMemo, PlainFields, Profile } from './hit-memo.ts';
import { isOneRange, takeRangeLine } from './range-field.ts';
import { headEnd } from './simple-heads.ts';

/** A head of which the fast path may answer, as far as that has to be read. */
export interface PlainHead {
  readonly line: string;
  readonly plain: PlainFields;
  /** The value of the head's `Range`, which is not among the fields. */
  readonly range: string | undefined;
}

/** What field lines mean, but for a `Range`. */
export interface Meaning {
  readonly profile: Profile;
  readonly range: string | undefined;
}

/** The field lines that came last on a connection, and what they mean: most of its heads have the same. */
export class LastFields {
  readonly #current: () => HitMemo<unknown>;
  #memo: HitMemo<unknown> | undefined;
  #block = '';
  #profile: Profile | undefined;
  /** What a head with that block ends with, from the end of its request line on. */
  #tail = '';
  /** What was around the value in the last that had a range besides, from the request line's end on. */
  #around: { readonly before: string; readonly behind: string } | undefined;

  /** `current`: the memo of the moment. */
  constructor(current: () => HitMemo<unknown>) {
    this.#current = current;
  }

  /** What a head's field lines mean; one range may be among them. */
  meaningOf(block: string): Meaning {
    const ranged = block === this.#block ? undefined : takeRangeLine(block);
    if (ranged === undefined) return { profile: this.profileOf(block), range: undefined };
    const { fields, range, before, behind } = ranged;
    const profile = this.profileOf(fields);
    this.#around = { before: `\r\n${before}`, behind: `${behind}${headEnd}` };
    return { profile, range };
  }

  profileOf(block: string): Profile {
    const memo = this.#current();
    if (this.#profile === undefined || block !== this.#block || memo !== this.#memo) {
      this.#profile = memo.profileOf(block);
      this.#block = block;
      this.#tail = `\r\n${block}${headEnd}`;
      this.#memo = memo;
      this.#around = undefined;
    }
    return this.#profile;
  }

  /** A head that is whole and alone, if it has these fields, and perhaps a range where the last one was. */
  read(head: string): PlainHead | undefined {
    const plain = this.#profile?.plain;
    if (plain === undefined || this.#memo !== this.#current()) return undefined;
    if (head.endsWith(this.#tail)) {
      const line = head.slice(0, head.length - this.#tail.length);
      if (!line.includes('\r')) return { line, plain, range: undefined };
    }
    return this.#readRanged(head, plain);
  }

  #readRanged(head: string, plain: PlainFields): PlainHead | undefined {
    if (this.#around === undefined) return undefined;
    const { before, behind } = this.#around;
    const end = head.length - behind.length;
    const start = head.lastIndexOf('\r\n', end - 1);
    // The line of the range begins where it is in `before`, too.
    const at = start - before.lastIndexOf('\r\n');
    if (at < 0 || !head.endsWith(behind) || !head.startsWith(before, at)) return undefined;
    const range = head.slice(at + before.length, end);
    const line = head.slice(0, at);
    return isOneRange(range) && !line.includes('\r') ? { line, plain, range } : undefined;
  }

  /** Forgets what is not to be repeated any more. */
  drop({ plain, line }: PlainHead): void {
    this.#memo?.drop(plain.hits, line);
  }
}

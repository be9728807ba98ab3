import type { DigestFinder } from '../core/classification.ts';
import { type Digest, strongestDigest } from '../core/digest.ts';
import type { StringSelector } from './json-selector.ts';
import { JsonStringRewriter } from './json-string-rewriter.ts';

/** What has been read of one of a document's entries. */
export interface Entry {
  /** Whether it is that of the file in question. */
  isNamed: boolean;
  readonly digests: Digest[];
}

export interface EntrySearch {
  readonly select: StringSelector;
  /** Takes a selected string of the entry that is being read; `key` as for a StringHandler. */
  readonly take: (entry: Entry, text: string, key: string) => void;
  /** Whether an entry has ended where so many objects and arrays are still open. */
  readonly ends: (depth: number, entry: Entry) => boolean;
}

/** Finds the digest of one file, the strongest of them, among the entries of a JSON document. */
export class EntryDigestFinder implements DigestFinder {
  readonly #reader: JsonStringRewriter;
  #entry: Entry = { isNamed: false, digests: [] };
  #found: Digest | undefined;
  #over = false;

  constructor({ select, take, ends }: EntrySearch) {
    this.#reader = new JsonStringRewriter(select, {
      map: (text, key) => {
        take(this.#entry, text, key);
        return undefined;
      },
      left: (depth) => ends(depth, this.#entry) && this.#end(),
    });
  }

  push(chunk: Uint8Array): boolean {
    if (!this.#over) this.#reader.push(chunk);
    return this.#over;
  }

  digest(): Digest | undefined {
    return this.#found;
  }

  #end(): void {
    const { isNamed, digests } = this.#entry;
    this.#entry = { isNamed: false, digests: [] };
    if (!isNamed || this.#over) return;
    this.#over = true;
    this.#found = strongestDigest(digests);
  }
}

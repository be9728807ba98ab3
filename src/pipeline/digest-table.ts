import { hash } from 'node:crypto';
import type { ByteRange } from '../core/body.ts';
import { type Digest, digestFromHex } from '../core/digest.ts';

/** Of the SHA-256 of a file's name the first bytes, then the SHA-256 of the file. */
const keyBytes = 8;
const recordBytes = keyBytes + 32;
/** 40 MB; the largest repositories have a tenth of that. */
const mostRecords = 1_000_000;

/**
 * Collects the digests of a list, and makes a table of them: records of one size in the order of their
 * keys, which are spread evenly. So a small part of it, whose place can be told, has what is sought.
 */
export class DigestTableMaker {
  #records: Buffer = Buffer.allocUnsafe(1024 * recordBytes);
  #count = 0;
  #tooMany = false;

  /** What is no SHA-256 is left out. */
  readonly add = (name: string, sha256: string): void => {
    const digest = digestFromHex('sha256', sha256);
    if (!digest || this.#tooMany) return;
    if (this.#count === mostRecords) {
      this.#tooMany = true;
      return;
    }
    const at = this.#count * recordBytes;
    if (at === this.#records.length) {
      this.#records = Buffer.concat([this.#records, Buffer.allocUnsafe(at)]);
    }
    keyOf(name).copy(this.#records, at, 0, keyBytes);
    this.#records.write(digest.hex, at + keyBytes, 'hex');
    this.#count += 1;
  };

  /** Undefined where there is nothing, or too much. */
  table(): Buffer | undefined {
    if (this.#count === 0 || this.#tooMany) return undefined;
    // About one record to a place: within one the order is of no consequence.
    const bits = Math.max(1, Math.ceil(Math.log2(this.#count)));
    const starts = new Uint32Array(2 ** bits + 1);
    const placeOf = (at: number): number => this.#records.readUInt32BE(at) >>> (32 - bits);
    const end = this.#count * recordBytes;
    for (let at = 0; at < end; at += recordBytes) {
      const next = placeOf(at) + 1;
      starts[next] = (starts[next] ?? 0) + 1;
    }
    for (let place = 1; place < starts.length; place += 1) {
      starts[place] = (starts[place] ?? 0) + (starts[place - 1] ?? 0);
    }
    const table = Buffer.allocUnsafe(end);
    for (let at = 0; at < end; at += recordBytes) {
      const place = placeOf(at);
      const to = starts[place] ?? 0;
      starts[place] = to + 1;
      this.#records.copy(table, to * recordBytes, at, at + recordBytes);
    }
    return table;
  }
}

/** The part of a table of `size` bytes that has the name's record, if any has. */
export function partFor(name: string, size: number): ByteRange {
  const records = Math.floor(size / recordBytes);
  const expected = (keyOf(name).readUInt32BE(0) / 2 ** 32) * records;
  // The place of one among n evenly spread ones deviates by √n/2 at the most likely: eight times that.
  const slack = 4 * Math.sqrt(records) + 16;
  const first = Math.max(0, Math.floor(expected - slack));
  const end = Math.min(records, Math.ceil(expected + slack));
  return { first: first * recordBytes, last: end * recordBytes - 1 };
}

/** The digests that a part of a table has for a name: usually one, or none. */
export function digestsFor(name: string, part: Buffer): readonly Digest[] {
  const key = keyOf(name).subarray(0, keyBytes);
  const digests: Digest[] = [];
  for (let at = 0; at + recordBytes <= part.length; at += recordBytes) {
    if (part.compare(key, 0, keyBytes, at, at + keyBytes) !== 0) continue;
    const hex = part.toString('hex', at + keyBytes, at + recordBytes);
    digests.push({ algorithm: 'sha256', hex });
  }
  return digests;
}

/** The key of a name, in whichever way it is spelled: documents and clients encode different signs. */
function keyOf(name: string): Buffer {
  const plain = name
    .replace(/^(?:\.\/)+/, '')
    .replace(/%([2-7][0-9a-f])/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return hash('sha256', plain, 'buffer');
}

import type { DigestList, DigestLister, TellDigest } from '../core/classification.ts';

const database = /^(.*\/)([^/]+)\.db(?:\.tar\.(?:gz|xz|zst))?$/;
const blockBytes = 512;
/** A longer description of a package is passed over. */
const maxDescBytes = 256 * 1024;

/** What the next bytes are; nothing once the archive has ended. */
type Part = 'header' | 'desc' | 'other' | 'nothing';

/** The list that a repository's database is. */
export function databaseList(url: string): DigestList | undefined {
  const [, root, id] = database.exec(url) ?? [];
  if (root === undefined || id === undefined) return undefined;
  return { id, root, create: (tell) => new DatabaseLister(tell) };
}

/**
 * Reads a database: a tar archive with a folder for each package, and in it `desc`. libalpm,
 * `be_sync.c`; POSIX.1-2024, pax, "ustar Interchange Format".
 */
class DatabaseLister implements DigestLister {
  readonly #tell: TellDigest;
  /** Bytes of the header, or of a `desc`, that are there. */
  #held: Buffer[] = [];
  /** What is read now ends after so many bytes more. */
  #missing = blockBytes;
  #reading: Part = 'header';
  /** Of the `desc` that is being read, without what fills its last block. */
  #size = 0;

  constructor(tell: TellDigest) {
    this.#tell = tell;
  }

  push(chunk: Uint8Array): void {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    while (rest.length > 0 && this.#reading !== 'nothing') {
      const part = rest.subarray(0, this.#missing);
      // The caller's chunk is not ours to keep.
      if (this.#reading !== 'other') this.#held.push(Buffer.from(part));
      this.#missing -= part.length;
      rest = rest.subarray(part.length);
      if (this.#missing === 0) this.#next();
    }
  }

  end(): void {
    // What is cut off is no entry.
  }

  #next(): void {
    const held = Buffer.concat(this.#held);
    this.#held = [];
    if (this.#reading === 'header') {
      this.#reading = this.#begin(held);
      this.#missing = Math.ceil(this.#size / blockBytes) * blockBytes;
      if (this.#missing > 0 || this.#reading === 'nothing') return;
    } else if (this.#reading === 'desc') {
      this.#describe(held.toString('utf8', 0, this.#size));
    }
    this.#reading = 'header';
    this.#missing = blockBytes;
  }

  /** What follows an entry's header: its bytes, up to the end of a block. */
  #begin(header: Buffer): Part {
    const name = header.toString('utf8', 0, 100).replace(/\0.*$/s, '');
    const octal = header
      .toString('latin1', 124, 136)
      .trim()
      .replace(/[\0 ].*$/s, '');
    // The end is a block of zeros; a size in another notation is none of a database.
    if (name === '' || !/^[0-7]{1,11}$/.test(octal)) return 'nothing';
    this.#size = Number.parseInt(octal, 8);
    const isFile = [0, 0x30].includes(header[156] ?? 0);
    const isDesc = isFile && name.endsWith('/desc') && this.#size <= maxDescBytes;
    return isDesc ? 'desc' : 'other';
  }

  #describe(desc: string): void {
    const [, name] = /(?:^|\n)%FILENAME%\n([^\n/]+)/.exec(desc) ?? [];
    const [, sha256] = /\n%SHA256SUM%\n([^\n]+)/.exec(desc) ?? [];
    if (name !== undefined && sha256 !== undefined) this.#tell(name, sha256);
  }
}

import type { DigestFinder } from '../core/classification.ts';
import { type Digest, digestAlgorithms, digestFromHex } from '../core/digest.ts';

/** Suffixes of the files beside an artifact that hold its checksum, the strongest first. */
export const checksumSuffixes = ['.sha512', '.sha256', '.sha1', '.md5'] as const;

/** A longer document is no checksum. */
const maxBytes = 4096;

/**
 * Reads a file that holds one checksum: bare, followed by the file's name, or as `SHA1(name)= …`. The
 * algorithm is told by its length.
 */
export class ChecksumFileFinder implements DigestFinder {
  #text: string | undefined = '';

  push(chunk: Uint8Array): boolean {
    if (this.#text === undefined) return true;
    this.#text += Buffer.from(chunk).toString('latin1');
    if (this.#text.length > maxBytes) this.#text = undefined;
    return this.#text === undefined;
  }

  digest(): Digest | undefined {
    const [line = ''] = this.#text?.trim().split(/\r?\n/, 1) ?? [];
    const [, hex = ''] = /^(?:.+=\s*)?([0-9a-f]{32,128})(?:\s|$)/i.exec(line) ?? [];
    for (const algorithm of digestAlgorithms) {
      const digest = digestFromHex(algorithm, hex);
      if (digest) return digest;
    }
    return undefined;
  }
}

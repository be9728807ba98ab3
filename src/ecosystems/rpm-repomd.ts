import type { DigestFinder, Pin, PinFinder } from '../core/classification.ts';
import { type Digest, digestAlgorithm, digestFromHex } from '../core/digest.ts';

/** A longer document is no `repomd.xml`. */
const maxBytes = 1024 * 1024;

/** Finds a file of `repodata/` in the `repomd.xml` beside it, by its name. */
export class RepomdFinder implements DigestFinder, PinFinder {
  readonly #url: string;
  readonly #file: string;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  /** Canonical URL of the file. */
  constructor(url: string) {
    this.#url = url;
    this.#file = url.slice(url.lastIndexOf('/') + 1);
  }

  push(chunk: Uint8Array): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes > maxBytes) this.#chunks.length = 0;
    // The caller's chunk is not ours to keep.
    else this.#chunks.push(Buffer.from(chunk));
    return this.#bytes > maxBytes;
  }

  digest(): Digest | undefined {
    return this.#found()?.digest;
  }

  /** Older checksums can be forged: nothing is held to them that changes. */
  pin(): Pin | undefined {
    const { digest, size } = this.#found() ?? {};
    if (!digest || digest.algorithm === 'md5' || digest.algorithm === 'sha1') return undefined;
    // The name that it has in a repository with unique names.
    const folder = this.#url.slice(0, -this.#file.length);
    return { digest, size, url: `${folder}${digest.hex}-${this.#file}`, places: [this.#url] };
  }

  #found(): { digest: Digest | undefined; size: number | undefined } | undefined {
    const document = Buffer.concat(this.#chunks).toString('utf8');
    for (const data of document.split(/<data\b/).slice(1)) {
      const [, href = ''] =
        /<location\b[^>]{0,1000}?\bhref\s*=\s*["']([^"'<>]{0,1000})["']/.exec(data) ?? [];
      if (href !== `repodata/${this.#file}`) continue;
      const [, type = '', hex = ''] =
        /<checksum\s+type\s*=\s*["'](\w+)["']\s*>\s*([0-9a-fA-F]{1,128})\s*</.exec(data) ?? [];
      const [, size] = /<size>\s*(\d{1,15})\s*</.exec(data) ?? [];
      const algorithm = digestAlgorithm(type);
      const digest = algorithm && digestFromHex(algorithm, hex);
      return { digest, size: size === undefined ? undefined : Number(size) };
    }
    return undefined;
  }
}

import type { DigestFinder, DigestSource } from '../core/classification.ts';
import {
  type Digest,
  digestFromHex,
  digestsFromIntegrity,
  strongestDigest,
} from '../core/digest.ts';
import { JsonStringRewriter } from './json-string-rewriter.ts';
import type { TarballName } from './npm-path.ts';
import { lastSegment } from './url-segment.ts';

/**
 * Where the digest of a version's tarball is published: in the package's document, and in the version's
 * own, which is all that Corepack reads.
 */
export function tarballDigest(registry: string, tarball: TarballName): DigestSource {
  const { name, version } = tarball;
  // A scope's slash has three spellings, each the one of some client.
  const spellings = name.includes('/') ? ['%2f', '%2F', '/'] : ['/'];
  const documents = spellings.map((slash) => `${registry}/${name.replace('/', slash)}`);
  // Below the package named "-" there are services, not versions.
  const ofVersion = name === '-' ? [] : documents.map((document) => `${document}/${version}`);
  return {
    urls: [...documents, ...ofVersion],
    find: () => new TarballDigestFinder(tarball),
  };
}

/**
 * Reads `versions.<version>.dist` of a packument, or `dist` of a version's own document: `integrity`,
 * and `shasum` (SHA-1) as old registries have it. It counts only where `dist.tarball` is the file in question.
 */
class TarballDigestFinder implements DigestFinder {
  readonly #reader: JsonStringRewriter;
  readonly #digests: Digest[] = [];
  #isNamed = false;
  #found: Digest | undefined;
  #over = false;

  constructor({ version, file }: TarballName) {
    const dist = { tarball: true, integrity: true, shasum: true } as const;
    this.#reader = new JsonStringRewriter(
      { dist, versions: { [version]: { dist } } },
      {
        map: (text, key) => {
          if (key === 'tarball') this.#isNamed = lastSegment(text) === file;
          else if (key === 'integrity') this.#digests.push(...digestsFromIntegrity(text));
          else
            this.#digests.push(
              ...[digestFromHex('sha1', text)].filter((each) => each !== undefined),
            );
          return undefined;
        },
        // `dist` has ended when the root, `versions` and the version are still open, or the root alone
        // (where `versions` may have ended, too, with nothing found).
        left: (depth) => (depth === 3 || (depth === 1 && this.#isNamed)) && this.#end(),
      },
    );
  }

  push(chunk: Uint8Array): boolean {
    if (!this.#over) this.#reader.push(chunk);
    return this.#over;
  }

  digest(): Digest | undefined {
    return this.#found;
  }

  #end(): void {
    this.#over = true;
    if (this.#isNamed) this.#found = strongestDigest(this.#digests);
  }
}

import type { DigestFinder, Rewrite, Rewriter } from '../core/classification.ts';
import { type Digest, digestAlgorithm, digestFromHex, strongestDigest } from '../core/digest.ts';
import { type FilePlaces, gatewayUrls } from './foreign-file.ts';
import { type Attributes, HtmlLinkRewriter } from './html-link-rewriter.ts';
import type { StringSelector } from './json-selector.ts';
import { JsonStringRewriter } from './json-string-rewriter.ts';
import type { PypiFile } from './pypi-name.ts';
import { lastSegment } from './url-segment.ts';

/** Where a page is, and where its links are to lead. */
export interface IndexPlaces extends FilePlaces {
  /** Canonical URL of the page, by which its relative links are meant. */
  readonly pageUrl: string;
}

/**
 * Points the links of an index page at the gateway, in HTML (PEP 503) and JSON (PEP 691); fragments,
 * attributes and all other bytes stay. A page is what its first byte says, whatever was asked for.
 */
export function indexRewrite(places: IndexPlaces): Rewrite {
  const { upstreamUrl, publicBase, hosts, pageUrl } = places;
  const gatewayUrl = gatewayUrls(places);
  const map = (link: string): string | undefined => {
    if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return gatewayUrl(link);
    return URL.canParse(link, pageUrl) ? gatewayUrl(new URL(link, pageUrl).href) : undefined;
  };
  return {
    id: ['pypi-links-1', upstreamUrl, publicBase, pageUrl, ...hosts].join(' '),
    create: () =>
      new IndexReader({
        html: new HtmlLinkRewriter((href) => map(href.trim())),
        json: new JsonStringRewriter({ files: { '[]': { url: true } } }, { map }),
      }),
  };
}

/** Finds what a project's page says of a file: its hashes, or those of its metadata (PEP 658, 714). */
export class FileDigestFinder implements DigestFinder {
  readonly #reader: IndexReader;
  readonly #wanted: PypiFile;
  #names: string | undefined;
  #digests: Digest[] = [];
  #found: Digest | undefined;
  #over = false;

  constructor(wanted: PypiFile) {
    this.#wanted = wanted;
    const hashes = { '*': true } as const;
    const fields: StringSelector =
      wanted.part === 'file'
        ? { filename: true, hashes }
        : { filename: true, 'core-metadata': hashes, 'dist-info-metadata': hashes };
    const json = new JsonStringRewriter(
      { files: { '[]': fields } },
      {
        map: (text, key) => {
          if (key === 'filename') this.#names = text;
          else this.#take(key, text);
          return undefined;
        },
        // The root and `files` are still open: an entry has ended.
        left: (depth) => depth === 2 && this.#end(),
      },
    );
    const html = new HtmlLinkRewriter((href, attributes) => {
      this.#anchor(href, attributes);
      return undefined;
    });
    this.#reader = new IndexReader({ html, json });
  }

  push(chunk: Uint8Array): boolean {
    if (!this.#over) this.#reader.push(chunk);
    return this.#over;
  }

  digest(): Digest | undefined {
    return this.#found;
  }

  #anchor(href: string, attributes: () => Attributes): void {
    const [link = '', fragment = ''] = href.split('#', 2);
    // Of thousands of links one is the right one.
    if (lastSegment(link) !== this.#wanted.name) return;
    this.#names = this.#wanted.name;
    const texts =
      this.#wanted.part === 'file'
        ? [fragment]
        : ['data-core-metadata', 'data-dist-info-metadata'].map((name) => attributes().get(name));
    for (const text of texts) {
      const [, algorithm = '', hex = ''] = /^([\w-]+)=([0-9a-f]+)/i.exec(text ?? '') ?? [];
      this.#take(algorithm, hex);
    }
    this.#end();
  }

  #take(name: string, hex: string): void {
    const algorithm = digestAlgorithm(name);
    const digest = algorithm && digestFromHex(algorithm, hex);
    if (digest) this.#digests.push(digest);
  }

  #end(): void {
    if (this.#over) return;
    if (this.#names === this.#wanted.name) {
      this.#over = true;
      this.#found = strongestDigest(this.#digests);
    }
    this.#names = undefined;
    this.#digests = [];
  }
}

/** Reads a page by one of two readers, whichever its first byte is for. */
class IndexReader implements Rewriter {
  readonly #readers: { readonly html: Rewriter; readonly json: Rewriter };
  #chosen: Rewriter | undefined;

  constructor(readers: { readonly html: Rewriter; readonly json: Rewriter }) {
    this.#readers = readers;
  }

  push(chunk: Uint8Array): readonly Uint8Array[] {
    // White space at the start is of no kind: either reader passes it on.
    const first = chunk.find((byte) => byte > 0x20);
    const { html, json } = this.#readers;
    const reader = this.#chosen ?? (first === 0x7b ? json : html);
    if (first !== undefined) this.#chosen = reader;
    return reader.push(chunk);
  }

  end(): readonly Uint8Array[] {
    return this.#chosen?.end() ?? [];
  }
}

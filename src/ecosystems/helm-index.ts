import type { DigestFinder, Rewrite, Rewriter } from '../core/classification.ts';
import { type Digest, digestFromHex } from '../core/digest.ts';
import { type FilePlaces, gatewayUrls } from './foreign-file.ts';
import { LineReader } from './line-reader.ts';
import { LineRewriter } from './line-rewriter.ts';

/** A longer line is a chart's icon or the like: it has no address that is looked for. */
const maxLineBytes = 16 * 1024;

/**
 * Points the absolute URLs of charts in an `index.yaml` at the gateway, line by line, as Helm writes
 * them: the elements of `urls`, each in a line of its own. All else stays byte for byte, relative
 * URLs too, which Helm takes from where the index is.
 */
export function chartRewrite(places: FilePlaces): Rewrite {
  const { upstreamUrl, publicBase, hosts } = places;
  return {
    id: ['helm-charts-1', upstreamUrl, publicBase, ...hosts].join(' '),
    create: () => chartRewriter(places),
  };
}

function chartRewriter(places: FilePlaces): Rewriter {
  const urls = new UrlLines();
  const gatewayUrl = gatewayUrls(places);
  return new LineRewriter(maxLineBytes, (line) => {
    const found = urls.read(line);
    const moved = found && gatewayUrl(found.url);
    return moved === undefined ? undefined : line.replace(found?.url ?? '', () => moved);
  });
}

/** Finds the `digest` (SHA-256) of a chart in an `index.yaml`, by the chart's URL. */
export class ChartDigestFinder implements DigestFinder {
  readonly #lines: LineReader;
  readonly #urls = new UrlLines();
  #isNamed = false;
  #digest: Digest | undefined;
  #found: Digest | undefined;

  constructor(url: string) {
    const wanted = chartOf(url);
    this.#lines = new LineReader(maxLineBytes, (line) => {
      const named = this.#urls.read(line);
      if (named && chartOf(named.url) === wanted) this.#isNamed = true;
      if (this.#urls.begins) {
        this.#isNamed = false;
        this.#digest = undefined;
      }
      const [, hex = ''] =
        /^[\s-]*digest:\s*["']?(?:sha256:)?([0-9a-f]{64})["']?\s*$/i.exec(line) ?? [];
      // Of a chart's own keys, not of what is deeper.
      if (hex !== '' && this.#urls.isKeyOfEntry(line)) this.#digest = digestFromHex('sha256', hex);
      if (!this.#isNamed || !this.#digest) return false;
      this.#found = this.#digest;
      return true;
    });
  }

  push(chunk: Uint8Array): boolean {
    return this.#lines.push(chunk);
  }

  digest(): Digest | undefined {
    this.#lines.end();
    return this.#found;
  }
}

/** The file's name: it has the chart's name and version. */
function chartOf(url: string): string {
  const path = url.replace(/[?#].*$/s, '');
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Follows an index by the indentation of its lines. */
class UrlLines {
  /** Where the entries of a chart begin, their dashes. */
  #entryIndent: number | undefined;
  /** Where `urls` stands while its list lasts. */
  #urlsIndent: number | undefined;
  #inEntries = false;
  /** Whether the last line began an entry. */
  begins = false;

  /** The URL of a line that is an element of an entry's `urls`. */
  read(line: string): { readonly url: string } | undefined {
    const indent = indentOf(line);
    this.begins = false;
    if (indent === line.length) return undefined;
    const isItem = line.startsWith('- ', indent);
    if (indent === 0 && !isItem) this.#inEntries = line.trimEnd() === 'entries:';
    if (!this.#inEntries) return undefined;
    if (isItem) {
      this.#entryIndent ??= indent;
      this.begins = indent === this.#entryIndent;
      if (!this.begins && this.#urlsIndent !== undefined && indent >= this.#urlsIndent) {
        return elementOf(line.slice(indent + 1));
      }
    }
    this.#urlsIndent = undefined;
    if (!line.includes('urls')) return undefined;
    const key = isItem ? line.slice(indent + 1) : line;
    const isUrls = /^ *["']?urls["']?: *\r?$/.test(key) && this.isKeyOfEntry(line);
    if (isUrls) this.#urlsIndent = isItem ? indent + 1 : indent;
    return undefined;
  }

  isKeyOfEntry(line: string): boolean {
    if (this.#entryIndent === undefined) return false;
    const indent = indentOf(line);
    return indent === this.#entryIndent ? this.begins : indent === this.#entryIndent + 2;
  }
}

function indentOf(line: string): number {
  let at = 0;
  while (line.charCodeAt(at) === 0x20) at++;
  return at;
}

/** A plain or quoted URL, absolute or relative. */
function elementOf(text: string): { readonly url: string } | undefined {
  const plain = text.trim().replace(/^(["'])(.*)\1$/, '$2');
  return /^(?:https?:\/\/[^\s"']+|[^\s"':]+)$/.test(plain) ? { url: plain } : undefined;
}

import type { Rewriter } from '../core/classification.ts';

/** An anchor's attributes: names in lower case, values with their character references resolved. */
export type Attributes = ReadonlyMap<string, string>;

/** An anchor or comment longer than this many bytes is left alone: the bound of the carry. */
export const maxTagBytes = 16 * 1024;

const empty: Buffer = Buffer.alloc(0);
const [lessThan, greaterThan, doubleQuote, singleQuote] = [0x3c, 0x3e, 0x22, 0x27];
const comment = Buffer.from('<!--');
const commentEnd = Buffer.from('-->');
const attribute = /([^\s"'<>/=]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+))/g;

/**
 * Replaces the `href` of anchors in an HTML document and leaves every other byte as it is. The
 * document is read tag by tag; comments are passed over. WHATWG HTML, section 13.2.5.
 */
export class HtmlLinkRewriter implements Rewriter {
  readonly #map: (attributes: Attributes) => string | undefined;
  #carry = empty;
  #inComment = false;

  /** `map` gets the attributes of each anchor; undefined leaves its bytes alone. */
  constructor(map: (attributes: Attributes) => string | undefined) {
    this.#map = map;
  }

  push(chunk: Uint8Array): readonly Uint8Array[] {
    const view = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const bytes = this.#carry.length === 0 ? view : Buffer.concat([this.#carry, view]);
    this.#carry = empty;
    const pieces: Buffer[] = [];
    let taken = 0;
    let at = 0;
    const keep = (from: number): readonly Uint8Array[] => {
      pieces.push(bytes.subarray(taken, from));
      // The caller's chunk is not ours to keep.
      this.#carry = Buffer.from(bytes.subarray(from));
      return pieces.filter((piece) => piece.length > 0);
    };
    while (at < bytes.length) {
      if (this.#inComment) {
        const end = bytes.indexOf(commentEnd, at);
        if (end === -1) return keep(Math.max(at, bytes.length - commentEnd.length + 1));
        this.#inComment = false;
        at = end + commentEnd.length;
        continue;
      }
      const start = bytes.indexOf(lessThan, at);
      if (start === -1) break;
      // Enough to tell an anchor and a comment from all else.
      if (bytes.length < start + comment.length) return keep(start);
      at = start + 1;
      if (bytes.indexOf(comment, start) === start) this.#inComment = true;
      else if (isAnchor(bytes, start)) {
        const end = tagEnd(bytes, start);
        if (end === undefined && bytes.length - start <= maxTagBytes) return keep(start);
        if (end === undefined) continue;
        at = end;
        const replaced = this.#anchor(bytes.subarray(start, end));
        if (replaced === undefined) continue;
        pieces.push(bytes.subarray(taken, start), replaced);
        taken = end;
      }
    }
    pieces.push(bytes.subarray(taken));
    return pieces.filter((piece) => piece.length > 0);
  }

  /** A page that was cut off is shown as far as it goes: HTML has no end that could be missed. */
  end(): readonly Uint8Array[] {
    const rest = this.#carry;
    this.#carry = empty;
    return rest.length > 0 ? [rest] : [];
  }

  #anchor(tag: Buffer): Buffer | undefined {
    const text = tag.toString('utf8');
    // What is not UTF-8 would not survive the way back.
    if (text.includes('\ufffd')) return undefined;
    const attributes = new Map<string, string>();
    let place: readonly [number, number] | undefined;
    for (const match of text.matchAll(attribute)) {
      const name = (match[1] ?? '').toLowerCase();
      if (attributes.has(name)) continue;
      attributes.set(name, unescaped(match[2] ?? match[3] ?? match[4] ?? ''));
      if (name === 'href') place = [match.index, match.index + match[0].length];
    }
    const href = this.#map(attributes);
    if (place === undefined || href === undefined) return undefined;
    return Buffer.from(`${text.slice(0, place[0])}href="${escaped(href)}"${text.slice(place[1])}`);
  }
}

/** `<a` and a blank, at a place where four bytes are known. */
function isAnchor(bytes: Buffer, at: number): boolean {
  const name = bytes[at + 1];
  return (name === 0x61 || name === 0x41) && /\s/.test(String.fromCharCode(bytes[at + 2] ?? 0));
}

/** Behind the `>` that ends the tag, those in quotes aside; undefined where it is not there. */
function tagEnd(bytes: Buffer, start: number): number | undefined {
  let quote: number | undefined;
  const bound = Math.min(bytes.length, start + maxTagBytes);
  for (let at = start; at < bound; at++) {
    const byte = bytes[at];
    if (quote !== undefined) {
      if (byte === quote) quote = undefined;
    } else if (byte === doubleQuote || byte === singleQuote) quote = byte;
    else if (byte === greaterThan) return at + 1;
  }
  return undefined;
}

const references: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

/** Character references that occur in URLs; others stay as they are. */
function unescaped(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:#(\d{1,6})|#x([0-9a-f]{1,6})|([a-z]+));/gi, (whole, dec, hex, name) => {
    if (name !== undefined) return references[String(name).toLowerCase()] ?? whole;
    const code = dec === undefined ? Number.parseInt(String(hex), 16) : Number(dec);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}

import type { Rewriter } from '../core/classification.ts';
import { SplicedBytes } from './spliced-bytes.ts';

/** An anchor's attributes: names in lower case, values with their character references resolved. */
export type Attributes = ReadonlyMap<string, string>;

/** An anchor or comment longer than this many bytes is left alone: the bound of the carry. */
export const maxTagBytes = 16 * 1024;

const empty: Buffer = Buffer.alloc(0);
const [lessThan, greaterThan, exclamation] = [0x3c, 0x3e, 0x21];
const [doubleQuote, singleQuote] = [0x22, 0x27];
const comment = Buffer.from('<!--');
const commentEnd = Buffer.from('-->');
const attribute = /([^\s"'<>/=]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+))/g;

/**
 * Gets the `href` of an anchor, its character references resolved, and all attributes where it wants
 * them. Undefined leaves the anchor's bytes alone.
 */
export type LinkMapping = (href: string, attributes: () => Attributes) => string | undefined;

/**
 * Replaces the `href` of anchors in an HTML document and leaves every other byte as it is. The
 * document is read tag by tag; comments are passed over. WHATWG HTML, section 13.2.5.
 */
export class HtmlLinkRewriter implements Rewriter {
  readonly #map: LinkMapping;
  /** One of its own, which need not be made for each tag. */
  readonly #attributes = new RegExp(attribute);
  #carry = empty;
  #inComment = false;

  constructor(map: LinkMapping) {
    this.#map = map;
  }

  push(chunk: Uint8Array): readonly Uint8Array[] {
    const view = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const bytes = this.#carry.length === 0 ? view : Buffer.concat([this.#carry, view]);
    this.#carry = empty;
    const spliced = new SplicedBytes(bytes);
    let at = 0;
    const keep = (from: number): readonly Uint8Array[] => {
      // The caller's chunk is not ours to keep.
      this.#carry = Buffer.from(bytes.subarray(from));
      return spliced.upTo(from);
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
      if (bytes[start + 1] === exclamation && bytes.subarray(start, start + 4).equals(comment))
        this.#inComment = true;
      else if (isAnchor(bytes, start)) {
        const end = tagEnd(bytes, start);
        if (end === undefined && bytes.length - start <= maxTagBytes) return keep(start);
        if (end === undefined) continue;
        at = end;
        const link = this.#link(bytes.toString('latin1', start, end));
        if (link) spliced.replace(start + link.from, start + link.to, link.replacement);
      }
    }
    return spliced.upTo(bytes.length);
  }

  /** A page that was cut off is shown as far as it goes: HTML has no end that could be missed. */
  end(): readonly Uint8Array[] {
    const rest = this.#carry;
    this.#carry = empty;
    return rest.length > 0 ? [rest] : [];
  }

  /** What to put in place of a tag's `href`; `tag` in Latin 1, so that characters count as bytes. */
  #link(tag: string): { from: number; to: number; replacement: string } | undefined {
    const attributes = this.#attributes;
    attributes.lastIndex = 0;
    for (let match = attributes.exec(tag); match; match = attributes.exec(tag)) {
      if ((match[1] ?? '').toLowerCase() !== 'href') continue;
      const value = valueIn(match);
      // What is not UTF-8 would not survive the way back.
      const href = value.includes('\ufffd') ? undefined : this.#map(value, () => attributesOf(tag));
      if (href === undefined) return undefined;
      const from = match.index;
      return {
        from,
        to: from + match[0].length,
        replacement: `href="${escaped(href)}"`,
      };
    }
    return undefined;
  }
}

function attributesOf(tag: string): Attributes {
  const attributes = new Map<string, string>();
  for (const match of tag.matchAll(attribute)) {
    const name = (match[1] ?? '').toLowerCase();
    // Of two with one name the first counts.
    if (!attributes.has(name)) attributes.set(name, valueIn(match));
  }
  return attributes;
}

/** The text of an attribute's value, from Latin 1 to what its bytes are in UTF-8. */
function valueIn(match: RegExpExecArray): string {
  const bytes = match[2] ?? match[3] ?? match[4] ?? '';
  const text = /[\x80-\xff]/.test(bytes) ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes;
  return unescaped(text);
}

/** `<a` and a blank, at a place where four bytes are known. */
function isAnchor(bytes: Buffer, at: number): boolean {
  const name = bytes[at + 1];
  return (name === 0x61 || name === 0x41) && isBlank(bytes[at + 2]);
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || (byte !== undefined && byte >= 0x09 && byte <= 0x0d);
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
  if (!/[&"<]/.test(text)) return text;
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}

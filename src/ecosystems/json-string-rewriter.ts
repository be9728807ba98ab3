import type { Rewriter } from '../core/classification.ts';
import { GatewayError } from '../core/errors.ts';
import {
  type Child,
  type Compiled,
  compiled,
  knownKey,
  type StringSelector,
} from './json-selector.ts';
import { SplicedBytes } from './spliced-bytes.ts';

/** Hears of the selected strings, in the order of the document. */
export interface StringHandler {
  /** `key` is the string's own, `'[]'` in an array. Undefined leaves the string's bytes alone. */
  map(text: string, key: string): string | undefined;
  /** An object or array on the way to selected strings has ended; how many are open around it. */
  left?(depth: number): unknown;
}

/** A key or selected string longer than this many bytes is left alone: the bound of the carry. */
export const maxTokenBytes = 8192;

/** What stands in JSON as it is. RFC 8259 section 7. */
const plain = /^[ !#-[\]-~]*$/;
const empty: Buffer = Buffer.alloc(0);
const [quote, backslash, colon, comma] = [0x22, 0x5c, 0x3a, 0x2c];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];

/**
 * Replaces the selected strings of a JSON document and leaves every other byte as it is. It is read
 * token by token, never parsed into values. What is not an object, or an array whose elements are
 * selected, and what follows its end, goes through untouched. RFC 8259.
 */
export class JsonStringRewriter implements Rewriter {
  readonly #handler: StringHandler;
  readonly #root: Compiled;
  #phase: 'before' | 'inside' | 'after' = 'before';
  /** The open objects and arrays that lead to selected strings: the path. */
  readonly #path: { readonly selector: Compiled; readonly array: boolean }[] = [];
  /** Open containers; more than the path is long while inside something of no interest. */
  #depth = 0;
  /** Inside a string of no interest, just behind an odd backslash. */
  #inString = false;
  #escaped = false;
  /** On the path: a value comes next, and what its key selects. */
  #afterColon = false;
  #selected: Child | undefined;
  #key = '';
  /** A key or selected string that has begun. */
  #carry = empty;

  constructor(selector: StringSelector, handler: StringHandler) {
    this.#root = compiled(selector);
    this.#handler = handler;
  }

  push(chunk: Uint8Array): readonly Uint8Array[] {
    const view = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const bytes = this.#carry.length === 0 ? view : Buffer.concat([this.#carry, view]);
    this.#carry = empty;
    const spliced = new SplicedBytes(bytes);
    let at = 0;
    while (at < bytes.length && this.#phase !== 'after') {
      if (this.#phase === 'before') at = this.#begin(bytes, at);
      else if (this.#inString) at = this.#passString(bytes, at);
      else if (this.#depth > this.#path.length) at = this.#passContainer(bytes, at);
      else if (bytes[at] !== quote) this.#structure(bytes[at++]);
      else {
        const start = at + 1;
        const end = this.#isOfInterest() ? endOf(bytes, start) : 'too-long';
        if (end === 'unfinished') {
          // The caller's chunk is not ours to keep.
          this.#carry = Buffer.from(bytes.subarray(at));
          return spliced.upTo(at);
        }
        const replacement = this.#string(bytes, start, end);
        at = end === 'too-long' ? this.#passString(bytes, start) : end + 1;
        if (replacement !== undefined) spliced.replace(start, at - 1, replacement);
      }
    }
    return spliced.upTo(bytes.length);
  }

  end(): readonly Uint8Array[] {
    if (this.#phase === 'inside') {
      throw new GatewayError(
        'http_protocol_error',
        'a JSON document ends before its last bracket',
        {
          origin: 'upstream',
          retryable: true,
        },
      );
    }
    return [];
  }

  /** White space and a byte order mark may come before the object or array. */
  #begin(bytes: Buffer, from: number): number {
    let at = from;
    while (at < bytes.length && isBlank(bytes[at])) at++;
    if (at === bytes.length) return at;
    const array = bytes[at] === openBracket;
    if (array ? this.#root.element === undefined : bytes[at] !== openBrace) {
      this.#phase = 'after';
      return at;
    }
    this.#phase = 'inside';
    this.#path.push({ selector: this.#root, array });
    this.#depth = 1;
    if (array) this.#nextMember();
    return at + 1;
  }

  /** A string on the path is worth reading when it is a key, or a value that a key selected. */
  #isOfInterest(): boolean {
    return this.#afterColon ? this.#selected === true : true;
  }

  /** Takes a string on the path (too long: its text does not matter); what is written in its place. */
  #string(bytes: Buffer, start: number, end: number | 'too-long'): string | undefined {
    if (!this.#afterColon) {
      this.#takeKey(bytes, start, end);
      return undefined;
    }
    const text =
      this.#selected === true && end !== 'too-long' ? decoded(bytes, start, end) : undefined;
    const mapped = text === undefined ? undefined : this.#handler.map(text, this.#key);
    this.#endValue();
    if (mapped === undefined || plain.test(mapped)) return mapped;
    return JSON.stringify(mapped).slice(1, -1);
  }

  #takeKey(bytes: Buffer, start: number, end: number | 'too-long'): void {
    const selector = this.#path.at(-1)?.selector;
    this.#key = '';
    this.#selected = undefined;
    if (!selector) return;
    const { keys, any } = selector;
    // Most keys are of no interest, and of those it need not be known what they say.
    const known = end === 'too-long' ? undefined : knownKey(keys, bytes, start, end);
    this.#selected = known?.child ?? any;
    if (known) this.#key = known.key;
    else if (any === true && end !== 'too-long') this.#key = decoded(bytes, start, end) ?? '';
  }

  #structure(byte: number | undefined): void {
    if (byte === colon) this.#afterColon = true;
    else if (byte === comma) this.#nextMember();
    else if (byte === openBrace || byte === openBracket) {
      this.#depth++;
      const array = byte === openBracket;
      const selector = this.#afterColon ? this.#selected : undefined;
      this.#endValue();
      if (typeof selector !== 'object' || (array && selector.element === undefined)) return;
      this.#path.push({ selector, array });
      this.#nextMember();
    } else if (byte === closeBrace || byte === closeBracket) {
      this.#depth--;
      this.#path.pop();
      this.#endValue();
      this.#handler.left?.(this.#depth);
      if (this.#depth === 0) this.#phase = 'after';
    }
  }

  /** A key comes next, or in an array its next element. */
  #nextMember(): void {
    this.#endValue();
    const inside = this.#path.at(-1);
    if (inside?.array !== true) return;
    this.#afterColon = true;
    this.#selected = inside.selector.element;
    this.#key = '[]';
  }

  #endValue(): void {
    this.#afterColon = false;
    this.#selected = undefined;
  }

  /** Passes over a container that is off the path; the position behind it, or the end of the bytes. */
  #passContainer(bytes: Buffer, from: number): number {
    const floor = this.#path.length;
    let depth = this.#depth;
    let at = from;
    while (at < bytes.length && depth > floor) {
      const byte = bytes[at++];
      if (byte === quote) {
        at = this.#passString(bytes, at);
        if (this.#inString) break;
      } else if (byte === openBrace || byte === openBracket) depth++;
      else if (byte === closeBrace || byte === closeBracket) depth--;
    }
    this.#depth = depth;
    return at;
  }

  /** Passes over the rest of a string; the position behind its closing quote, or the end of the bytes. */
  #passString(bytes: Buffer, from: number): number {
    let escaped = this.#escaped;
    let at = from;
    this.#inString = true;
    while (at < bytes.length) {
      const byte = bytes[at++];
      if (escaped) escaped = false;
      else if (byte === backslash) escaped = true;
      else if (byte === quote) {
        this.#inString = false;
        break;
      }
    }
    this.#escaped = escaped;
    return at;
  }
}

function isBlank(byte: number | undefined): boolean {
  switch (byte) {
    case 0x20:
    case 0x09:
    case 0x0a:
    case 0x0d:
    case 0xef: // UTF-8's byte order mark
    case 0xbb:
    case 0xbf:
      return true;
    default:
      return false;
  }
}

/** Where the string whose text begins at `start` has its closing quote, if it can be held. */
function endOf(bytes: Buffer, start: number): number | 'unfinished' | 'too-long' {
  const bound = Math.min(bytes.length, start + maxTokenBytes + 1);
  for (let at = start; at < bound; at++) {
    const byte = bytes[at];
    if (byte === quote) return at;
    if (byte === backslash) at++;
  }
  return bytes.length <= start + maxTokenBytes ? 'unfinished' : 'too-long';
}

/** The text of a string's bytes, or undefined where they are not JSON and so mean nothing. */
function decoded(bytes: Buffer, start: number, end: number): string | undefined {
  const text = bytes.toString('utf8', start, end);
  // What is not UTF-8 would not survive the way back.
  if (text.includes('\ufffd')) return undefined;
  if (!text.includes('\\')) return text;
  try {
    const value: unknown = JSON.parse(`"${text}"`);
    return typeof value === 'string' ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

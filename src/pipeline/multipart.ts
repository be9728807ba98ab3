import { randomBytes } from 'node:crypto';
import type { BodyReader, ByteRange } from '../core/body.ts';
import { fieldLines, type RawHeaders, withoutFields } from '../core/raw-headers.ts';
import { contentRange } from '../policy/byte-range.ts';

export interface MultipartSource {
  /** Fields of the representation that the ranges are of. */
  readonly headers: RawHeaders;
  /** Its bytes. */
  readonly size: number;
  /** Two or more. */
  readonly ranges: readonly ByteRange[];
  open(range: ByteRange): Promise<BodyReader> | BodyReader;
}

export interface Multipart {
  /** Those of the representation, with the type of the whole in place of its own. */
  readonly headers: string[];
  /** Bytes of the body. */
  readonly size: number;
  readonly reader: BodyReader;
}

const typeFields: ReadonlySet<string> = new Set(['content-type', 'content-range']);

/**
 * Several ranges as `multipart/byteranges`, one after the other as they are read. RFC 9110 sections
 * 14.6 and 15.3.7.2. The boundary is random: nobody can have put it into the bytes, and chance does
 * not find it in 144 bits.
 */
export async function multipart(source: MultipartSource): Promise<Multipart> {
  const boundary = randomBytes(18).toString('hex');
  const types = fieldLines(source.headers, 'content-type').map((type) => `Content-Type: ${type}`);
  const parts = source.ranges.map((range, i) => {
    const opening = `${i === 0 ? '' : '\r\n'}--${boundary}`;
    const lines = [opening, ...types, `Content-Range: ${contentRange(range, source.size)}`];
    return { range, head: Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1') };
  });
  const closing = Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1');
  const size = parts.reduce(
    (sum, { range, head }) => sum + head.length + range.last - range.first + 1,
    closing.length,
  );
  // RFC 9110 section 15.3.7.2: the head of the whole has no Content-Range.
  const headers = [...withoutFields(source.headers, typeFields)];
  headers.push('Content-Type', `multipart/byteranges; boundary=${boundary}`);
  const [first] = source.ranges;
  if (first === undefined) throw new RangeError('a multipart body needs ranges');
  const opened = await source.open(first);
  return { headers, size, reader: new MultipartReader(source, parts, closing, opened) };
}

interface Part {
  readonly range: ByteRange;
  readonly head: Uint8Array;
}

/** Reads each part's head, then its bytes; one range is open at a time. */
class MultipartReader implements BodyReader {
  readonly #source: MultipartSource;
  readonly #parts: readonly Part[];
  readonly #closing: Uint8Array;
  #index = -1;
  #current: BodyReader | undefined;
  /** The first range is opened before there is a head to send: what fails then can still be said. */
  #opened: BodyReader | undefined;
  #closed = false;

  constructor(
    source: MultipartSource,
    parts: readonly Part[],
    closing: Uint8Array,
    opened: BodyReader,
  ) {
    this.#source = source;
    this.#parts = parts;
    this.#closing = closing;
    this.#opened = opened;
  }

  async next(): Promise<Uint8Array | undefined> {
    const chunk = await this.#current?.next();
    if (chunk || this.#closed) return chunk;
    this.#index += 1;
    const part = this.#parts[this.#index];
    if (part === undefined) {
      this.#current?.close();
      this.#current = undefined;
      return this.#index === this.#parts.length ? this.#closing : undefined;
    }
    const opened = this.#opened ?? (await this.#source.open(part.range));
    this.#opened = undefined;
    // Only now: a body that nobody reads and nothing stores would end.
    this.#current?.close();
    this.#current = opened;
    if (this.#closed) opened.close();
    return part.head;
  }

  close(): void {
    this.#closed = true;
    this.#opened?.close();
    this.#current?.close();
  }
}

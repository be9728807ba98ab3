import { ChunkedBody } from './chunked-body.ts';

/** Hears of one response after the other. */
export interface ResponseEvents {
  head(status: number): void;
  /** A part of the body; the bytes are only valid during the call. */
  body(chunk: Buffer): void;
  end(): void;
}

const separator = Buffer.from('\r\n\r\n');

interface Head {
  readonly status: number;
  /** Of the body; undefined where it comes in chunks. */
  readonly length: number | undefined;
}

/** Takes responses with a `Content-Length` or in chunks apart; throws for anything else. */
export class ResponseParser {
  readonly #events: ResponseEvents;
  #head: Buffer | undefined;
  /** The last head as bytes: on one connection the next is the same until the clock ticks. */
  #known: (Head & { readonly bytes: Buffer }) | undefined;
  #chunked: ChunkedBody | undefined;
  #left = 0;
  #inBody = false;

  constructor(events: ResponseEvents) {
    this.#events = events;
  }

  /** Whether the connection may end here without cutting a response off. */
  get betweenResponses(): boolean {
    return !this.#inBody && this.#head === undefined;
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      at = this.#inBody ? this.#takeBody(chunk, at) : this.#takeHead(chunk, at);
    }
  }

  #takeHead(chunk: Buffer, at: number): number {
    const before = this.#head;
    const rest = chunk.subarray(at);
    const input = before ? Buffer.concat([before, rest]) : rest;
    const end = input.indexOf(separator);
    if (end === -1) {
      // The chunk's memory is used again for the next one.
      this.#head = Buffer.from(input);
      return chunk.length;
    }
    this.#head = undefined;
    const { status, length } = this.#read(input, end);
    this.#left = length ?? 0;
    this.#chunked = length === undefined ? new ChunkedBody() : undefined;
    this.#inBody = true;
    this.#events.head(status);
    if (length === 0) this.#end();
    return at + end + separator.length - (before?.length ?? 0);
  }

  #read(input: Buffer, end: number): Head {
    const known = this.#known;
    if (known?.bytes.length === end && known.bytes.compare(input, 0, end) === 0) return known;
    const head = input.toString('latin1', 0, end);
    const status = Number(head.slice(9, 12));
    const bytes = Buffer.from(input.subarray(0, end));
    this.#known = { bytes, status, length: lengthOf(head, status) };
    return this.#known;
  }

  #takeBody(chunk: Buffer, at: number): number {
    const chunked = this.#chunked;
    if (chunked) {
      const stop = chunked.push(chunk, at, (bytes) => this.#events.body(bytes));
      if (chunked.over) this.#end();
      return stop;
    }
    const end = Math.min(chunk.length, at + this.#left);
    this.#left -= end - at;
    this.#events.body(chunk.subarray(at, end));
    if (this.#left === 0) this.#end();
    return end;
  }

  #end(): void {
    this.#inBody = false;
    this.#events.end();
  }
}

function lengthOf(head: string, status: number): number | undefined {
  if (status === 304) return 0;
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return Number(length);
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) return undefined;
  throw new Error(`no length in: ${head}`);
}

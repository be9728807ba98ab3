/** Hears of one response after the other. */
export interface ResponseEvents {
  head(status: number): void;
  /** A part of the body; the bytes are only valid during the call. */
  body(chunk: Buffer): void;
  end(): void;
}

const separator = Buffer.from('\r\n\r\n');

/** Takes responses with a `Content-Length` apart; throws for anything else. */
export class ResponseParser {
  readonly #events: ResponseEvents;
  #head: Buffer | undefined;
  /** The last head as bytes: on one connection the next is the same until the clock ticks. */
  #known: { readonly bytes: Buffer; readonly status: number; readonly length: number } | undefined;
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
    this.#left = length;
    this.#inBody = true;
    this.#events.head(status);
    if (this.#left === 0) this.#end();
    return at + end + separator.length - (before?.length ?? 0);
  }

  #read(input: Buffer, end: number): { readonly status: number; readonly length: number } {
    const known = this.#known;
    if (known?.bytes.length === end && known.bytes.compare(input, 0, end) === 0) return known;
    const head = input.toString('latin1', 0, end);
    const status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined && status !== 304) throw new Error(`no length in: ${head}`);
    this.#known = {
      bytes: Buffer.from(input.subarray(0, end)),
      status,
      length: status === 304 ? 0 : Number(length),
    };
    return this.#known;
  }

  #takeBody(chunk: Buffer, at: number): number {
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

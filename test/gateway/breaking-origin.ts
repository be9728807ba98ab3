import type { IncomingMessage, ServerResponse } from 'node:http';
import { generatedBytes } from '../support/generated-bytes.ts';
import { type HttpOrigin, httpOrigin } from '../support/http-origin.ts';

const piece = 64 * 1024;

/** An origin of one generated body that breaks off, and is down from then on, when it is told to. */
export class BreakingOrigin {
  readonly #origin: HttpOrigin;
  readonly size: number;
  /** Decides the bytes. */
  seed = 'first';
  etag = '"first"';
  /** After so many bytes of a response, counted by position in the body, the origin goes down. */
  breaksAt = Number.POSITIVE_INFINITY;
  down = false;
  /** What it answers to a range; undefined: the range. */
  toRange: ((response: ServerResponse) => boolean) | undefined;
  headers: Record<string, string> = { 'Cache-Control': 'max-age=600', 'X-Kept': 'yes' };
  /** Waits before it sends the bytes at a position. */
  pace: (position: number) => Promise<void> = async () => undefined;
  /** Bytes of the body that were sent. */
  sent = 0;

  constructor(origin: HttpOrigin, size: number) {
    this.#origin = origin;
    this.size = size;
    origin.handle('/big', (request, response) => this.#answer(request, response));
  }

  get url(): string {
    return this.#origin.url;
  }

  /** `Range` of each request so far. */
  get ranges(): (string | undefined)[] {
    return this.#origin.requests.map(({ headers }) => {
      const at = headers.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'range');
      return at < 0 ? undefined : headers[at + 1];
    });
  }

  bytes(first = 0, last = this.size - 1): Buffer {
    return generatedBytes(this.seed, first, last - first + 1);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.down) {
      request.socket.destroy();
      return;
    }
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const ifRange = request.headers['if-range'];
    for (const [name, value] of Object.entries(this.headers)) response.setHeader(name, value);
    let [first, last] = [0, this.size - 1];
    if (from !== undefined && (ifRange === undefined || ifRange === this.etag)) {
      if (this.toRange?.(response)) return;
      if (!this.toRange) {
        first = Number(from);
        if (to) last = Number(to);
        // RFC 9110 section 15.3.7: what the client has already need not be repeated.
        response.removeHeader('X-Kept');
        response.setHeader('Content-Range', `bytes ${first}-${last}/${this.size}`);
        response.statusCode = 206;
      }
    }
    response.setHeader('ETag', this.etag);
    response.setHeader('Content-Length', last - first + 1);
    for (let at = first; at <= last && !response.destroyed; at += piece) {
      if (at >= this.breaksAt) {
        this.down = true;
        this.breaksAt = Number.POSITIVE_INFINITY;
        // What was written before is to arrive.
        response.write('', () => request.socket.destroySoon());
        return;
      }
      await this.pace(at);
      if (response.destroyed) return;
      const length = Math.min(piece, last + 1 - at);
      this.sent += length;
      if (response.write(this.bytes(at, at + length - 1))) continue;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          response.off('drain', done);
          response.off('close', done);
          resolve();
        };
        response.on('drain', done);
        response.on('close', done);
      });
    }
    response.end();
  }
}

export async function breakingOrigin(size: number): Promise<BreakingOrigin> {
  return new BreakingOrigin(await httpOrigin(), size);
}

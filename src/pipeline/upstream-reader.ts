import type { BodyReader } from '../core/body.ts';
import type { GatewayError } from '../core/errors.ts';
import type { BodySink, UpstreamResponse } from '../upstream/upstream.ts';

/** Bytes that may wait for the one reader before the upstream is paused. */
const highWaterBytes = 256 * 1024;

/** The body of a response that is for one client alone, at that client's pace. */
export class UpstreamReader implements BodyReader, BodySink {
  readonly #response: UpstreamResponse;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #received = 0;
  #ended = false;
  #closed = false;
  #failure: GatewayError | undefined;
  #wake: (() => void) | undefined;

  constructor(response: UpstreamResponse) {
    this.#response = response;
    response.consume(this);
  }

  /** Bytes that have arrived. */
  get received(): number {
    return this.#received;
  }

  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk) {
        this.#take(chunk.length);
        return chunk;
      }
      if (this.#failure) throw this.#failure;
      if (this.#ended || this.#closed) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** A client that leaves takes its upstream exchange with it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#chunks.length = 0;
    if (!this.#ended) this.#response.abort();
    this.#wake?.();
  }

  data(chunk: Buffer): boolean {
    this.#chunks.push(chunk);
    this.#received += chunk.length;
    this.#bytes += chunk.length;
    this.#wake?.();
    return this.#bytes < highWaterBytes;
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  error(error: GatewayError): void {
    this.#ended = true;
    this.#failure = error;
    this.#wake?.();
  }

  #take(bytes: number): void {
    const wasFull = this.#bytes >= highWaterBytes;
    this.#bytes -= bytes;
    if (wasFull && this.#bytes < highWaterBytes && !this.#ended) this.#response.resume();
  }
}

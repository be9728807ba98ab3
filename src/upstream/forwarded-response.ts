import type { GatewayError } from '../core/errors.ts';
import type { RawHeaders } from '../core/raw-headers.ts';
import { ResponseHead } from './response-head.ts';
import type { BodySink, UpstreamResponse } from './upstream.ts';

/**
 * Another response passed on, standing between its body and the sink. By itself it changes nothing: it
 * is what those extend that measure a body, or have a say in it.
 */
export class ForwardedResponse extends ResponseHead implements UpstreamResponse, BodySink {
  readonly #inner: UpstreamResponse;
  #sink: BodySink | undefined;

  /** `headers`: those that count, where not all of them do. */
  constructor(inner: UpstreamResponse, headers?: RawHeaders) {
    super(inner, headers);
    this.#inner = inner;
  }

  consume(sink: BodySink): void {
    this.#sink = sink;
    this.#inner.consume(this);
  }

  takeWhole(size: number, take: (body: Uint8Array) => boolean): boolean {
    return this.#inner.takeWhole(size, take);
  }

  resume(): void {
    this.#inner.resume();
  }

  giveBack(chunk: Uint8Array): void {
    this.#inner.giveBack(chunk);
  }

  abort(): void {
    this.#inner.abort();
  }

  data(chunk: Buffer): boolean {
    return (this.#sink as BodySink).data(chunk);
  }

  end(): void {
    this.#sink?.end();
  }

  error(error: GatewayError): void {
    this.#sink?.error(error);
  }
}

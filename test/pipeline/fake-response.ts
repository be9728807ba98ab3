import type { GatewayError } from '../../src/core/errors.ts';
import type { MirrorFault } from '../../src/core/mirror-figures.ts';
import type { DownloadedResponse } from '../../src/upstream/downloader.ts';
import type { BodySink } from '../../src/upstream/upstream.ts';

/** An upstream response that a test feeds by hand. */
export class FakeResponse implements DownloadedResponse {
  readonly status: number;
  readonly headers: readonly string[];
  readonly origin = 'http://origin.test';
  readonly url: string;
  readonly requestTime = 0;
  readonly responseTime = 0;
  readonly attempts = [];
  readonly mirror: string | undefined = undefined;
  readonly faults: MirrorFault[] = [];
  aborted = false;
  #sink: BodySink | undefined;

  constructor(status: number, headers: readonly string[], url = 'http://origin.test/file') {
    this.url = url;
    this.status = status;
    this.headers = headers;
  }

  get consumed(): boolean {
    return this.#sink !== undefined;
  }

  consume(sink: BodySink): void {
    this.#sink = sink;
  }

  /** It comes when the test says so. */
  takeWhole(_size: number, _take: (body: Uint8Array) => boolean): boolean {
    return false;
  }

  resume(): void {
    // The test decides when there is more.
  }

  /** As if something else were read into it. */
  giveBack(chunk: Uint8Array): void {
    chunk.fill(0xee);
  }

  abort(): void {
    this.aborted = true;
  }

  demote(fault: MirrorFault): void {
    this.faults.push(fault);
  }

  data(chunk: Uint8Array): void {
    if (!this.aborted) this.#sink?.data(Buffer.from(chunk));
  }

  end(): void {
    if (!this.aborted) this.#sink?.end();
  }

  fail(error: GatewayError): void {
    if (!this.aborted) this.#sink?.error(error);
  }
}

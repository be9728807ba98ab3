import type { GatewayError } from './core/errors.ts';
import type { MirrorFault } from './core/mirror-figures.ts';
import type { FeedResponse } from './pipeline/feed.ts';
import type { DownloadedResponse } from './upstream/downloader.ts';
import type { BodySink } from './upstream/upstream.ts';

/** What one place has given to a download. */
export interface SourceFigures {
  /** `http://host:port` of the mirror that was chosen; without a choice the URL's own. */
  readonly origin: string;
  /** Whose bytes are arriving now. */
  readonly connections: number;
  readonly bytes: number;
}

interface Source {
  connections: number;
  bytes: number;
  /** The latest, to tell of a fault. */
  response: DownloadedResponse;
}

/** Notes which places the bytes of one download come from. */
export class Watch {
  readonly #home: string;
  readonly #sources = new Map<string, Source>();

  /** `home`: the origin of the download's own URL. */
  constructor(home: string) {
    this.#home = home;
  }

  get figures(): readonly SourceFigures[] {
    return [...this.#sources].map(([origin, { connections, bytes }]) => ({
      origin,
      connections,
      bytes,
    }));
  }

  /** The whole was not what it must be: it is held against the mirrors, if any brought some of it. */
  demoteMirrors(fault: MirrorFault): boolean {
    const mirrors = [...this.#sources].filter(([origin]) => origin !== this.#home);
    for (const [, { response }] of mirrors) response.demote(fault);
    return mirrors.length > 0;
  }

  /** The same response, noted as it is consumed. */
  over(response: DownloadedResponse): FeedResponse {
    const origin = response.mirror ?? this.#home;
    const source = this.#sources.get(origin) ?? { connections: 0, bytes: 0, response };
    source.response = response;
    this.#sources.set(origin, source);
    return new WatchedResponse(response, source);
  }
}

class WatchedResponse implements FeedResponse, BodySink {
  readonly status: number;
  readonly headers: FeedResponse['headers'];
  readonly origin: string;
  readonly mirror: string | undefined;
  readonly requestTime: number;
  readonly responseTime: number;
  readonly #response: DownloadedResponse;
  readonly #source: Source;
  #sink: BodySink | undefined;

  constructor(response: DownloadedResponse, source: Source) {
    this.status = response.status;
    this.headers = response.headers;
    this.origin = response.origin;
    this.mirror = response.mirror;
    this.requestTime = response.requestTime;
    this.responseTime = response.responseTime;
    this.#response = response;
    this.#source = source;
  }

  consume(sink: BodySink): void {
    this.#sink = sink;
    this.#source.connections += 1;
    this.#response.consume(this);
  }

  resume(): void {
    this.#response.resume();
  }

  giveBack(chunk: Uint8Array): void {
    this.#response.giveBack(chunk);
  }

  abort(): void {
    this.#over();
    this.#response.abort();
  }

  demote(fault: MirrorFault): void {
    this.#response.demote(fault);
  }

  data(chunk: Buffer): boolean {
    this.#source.bytes += chunk.length;
    return this.#sink?.data(chunk) ?? true;
  }

  end(): void {
    this.#over()?.end();
  }

  error(error: GatewayError): void {
    this.#over()?.error(error);
  }

  #over(): BodySink | undefined {
    const sink = this.#sink;
    this.#sink = undefined;
    if (sink !== undefined) this.#source.connections -= 1;
    return sink;
  }
}

import type { GatewayError } from './core/errors.ts';
import type { MirrorFault } from './core/mirror-figures.ts';
import type { FeedResponse } from './pipeline/feed.ts';
import type { DownloadedResponse } from './upstream/downloader.ts';
import { ForwardedResponse } from './upstream/forwarded-response.ts';
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

class WatchedResponse extends ForwardedResponse implements FeedResponse {
  readonly mirror: string | undefined;
  readonly #response: DownloadedResponse;
  readonly #source: Source;
  #flows = false;

  constructor(response: DownloadedResponse, source: Source) {
    super(response);
    this.mirror = response.mirror;
    this.#response = response;
    this.#source = source;
  }

  override consume(sink: BodySink): void {
    this.#flows = true;
    this.#source.connections += 1;
    super.consume(sink);
  }

  override abort(): void {
    this.#over();
    super.abort();
  }

  demote(fault: MirrorFault): void {
    this.#response.demote(fault);
  }

  override data(chunk: Buffer): boolean {
    this.#source.bytes += chunk.length;
    return super.data(chunk);
  }

  override end(): void {
    this.#over();
    super.end();
  }

  override error(error: GatewayError): void {
    this.#over();
    super.error(error);
  }

  #over(): void {
    if (this.#flows) this.#source.connections -= 1;
    this.#flows = false;
  }
}

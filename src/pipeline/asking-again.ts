import type { ByteRange } from '../core/body.ts';
import type { RawHeaders } from '../core/raw-headers.ts';
import type { DownloadedResponse, Downloader, DownloadRequest } from '../upstream/downloader.ts';
import { downloadOf, partFields, sharedFields, somePart } from './download-of.ts';
import type { LaneBudget } from './lane-budget.ts';
import type { Refetch } from './refetch.ts';
import type { Resource } from './resource.ts';

/** What a request to the upstreams has besides what its resource says. */
export type SendOptions = Partial<
  Pick<DownloadRequest, 'method' | 'size' | 'avoid' | 'lane' | 'onInterim'>
>;

export type Send = (
  resource: Resource,
  headers: RawHeaders,
  options?: SendOptions,
) => Promise<DownloadedResponse>;

/** What all who ask again have in common. */
export interface AskingAgainOptions {
  readonly send: Send;
  readonly downloader: Pick<Downloader, 'connections' | 'next'>;
  /** Milliseconds, on a clock that does not go back. */
  readonly now: () => number;
  readonly budget: LaneBudget;
  /** Connections at once for one body, besides what the mirrors have. */
  readonly mostConnections: (() => number) | undefined;
}

/** Asks for what the first response to a shared request does not bring; most bodies never need it. */
export class AskingAgain implements Refetch {
  readonly now: () => number;
  readonly budget: LaneBudget;
  readonly rangesIgnored: boolean;
  readonly #options: AskingAgainOptions;
  readonly #resource: Resource;
  readonly #size: number | undefined;
  #request: { readonly avoid: Set<string>; readonly size?: number } | undefined;
  #connections: number | undefined;

  constructor(
    options: AskingAgainOptions,
    resource: Resource,
    { size, rangesIgnored }: { size: number | undefined; rangesIgnored: boolean },
  ) {
    this.now = options.now;
    this.budget = options.budget;
    this.rangesIgnored = rangesIgnored;
    this.#options = options;
    this.#resource = resource;
    this.#size = size;
  }

  part(range: ByteRange, etag: string | undefined): Promise<DownloadedResponse> {
    const headers = this.#partFields(range, etag);
    return this.#options.send(this.#resource, headers, { ...this.#body, lane: true });
  }

  whole(): Promise<DownloadedResponse> {
    return this.#options.send(this.#resource, sharedFields(this.#resource), this.#body);
  }

  connections(etag: string | undefined): number {
    const { downloader, mostConnections } = this.#options;
    this.#connections ??= downloader.connections(this.#somePart(etag));
    return Math.min(this.#connections, mostConnections?.() ?? this.#connections);
  }

  next(etag: string | undefined): string | undefined {
    return this.#options.downloader.next({ ...this.#somePart(etag), ...this.#body });
  }

  /** Mirrors that turn out to have another representation are not asked for the rest of this one. */
  get #body() {
    const size = this.#size !== undefined && { size: this.#size };
    this.#request ??= { avoid: new Set<string>(), ...size };
    return this.#request;
  }

  #somePart(etag: string | undefined): DownloadRequest {
    return { ...downloadOf(this.#resource), headers: this.#partFields(somePart, etag) };
  }

  #partFields(range: ByteRange, etag: string | undefined): RawHeaders {
    return [...sharedFields(this.#resource), ...partFields(range, etag)];
  }
}

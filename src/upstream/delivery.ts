import { GatewayError } from '../core/errors.ts';
import type { MirrorFault } from '../core/mirror-figures.ts';
import type { RawHeaders } from '../core/raw-headers.ts';
import type { Attempt, DownloadedResponse } from './downloader.ts';
import { ForwardedResponse } from './forwarded-response.ts';
import type { After } from './hedge.ts';
import type { TokenBucket } from './token-bucket.ts';
import type { BodySink, UpstreamResponse } from './upstream.ts';

/** How a body ended: whole, with an error, or because nobody wanted more of it. */
export type DeliveryEnd = 'whole' | 'abandoned' | GatewayError;

/** What was seen of a body; times in milliseconds. */
export interface Delivered {
  readonly bytes: number;
  /** From the first piece's wait to the last piece, pauses taken off. */
  readonly ms: number;
  /** Whether the reader was the slower one: the time says little of the mirror then. */
  readonly paced: boolean;
  readonly longestSilenceMs: number;
}

export interface DeliveryOptions {
  readonly response: UpstreamResponse;
  /** Those of the response that count. */
  readonly headers: RawHeaders;
  readonly attempts: readonly Attempt[];
  readonly mirror: string | undefined;
  readonly buckets: readonly TokenBucket[];
  /** Ends a body that is silent for longer, where the rest could come from elsewhere. */
  readonly idleMs: number | undefined;
  readonly after: After;
  /** Once, however it ends. */
  readonly ended: (how: DeliveryEnd, seen: Delivered) => void;
  readonly demoted: (fault: MirrorFault) => void;
}

/** More of the time than this in pauses, and the reader set the pace. */
const pacedShare = 0.2;

/** A response on its way from a mirror: it is measured, and held to the bandwidth that it may have. */
export class Delivery extends ForwardedResponse implements DownloadedResponse {
  readonly attempts: readonly Attempt[];
  readonly mirror: string | undefined;
  readonly #options: DeliveryOptions;
  #bytes = 0;
  #startedAt = 0;
  #lastAt = 0;
  #silence = 0;
  #pausedAt: number | undefined;
  #pausedMs = 0;
  /** The reader asked for a pause; the bandwidth did. */
  #readerWaits = false;
  #cancelThrottle: (() => void) | undefined;
  #cancelWatch: (() => void) | undefined;
  #consumed = false;
  #over = false;

  constructor(options: DeliveryOptions) {
    super(options.response, options.headers);
    this.attempts = options.attempts;
    this.mirror = options.mirror;
    this.#options = options;
  }

  override consume(sink: BodySink): void {
    this.#startedAt = performance.now();
    this.#lastAt = this.#startedAt;
    this.#consumed = true;
    this.#watch();
    super.consume(sink);
  }

  override takeWhole(size: number, take: (body: Uint8Array) => boolean): boolean {
    // Bytes that have to be paid for come when they are.
    if (this.#options.buckets.length > 0) return false;
    const startedAt = performance.now();
    if (!super.takeWhole(size, take)) return false;
    this.#startedAt = startedAt;
    this.#lastAt = performance.now();
    this.#consumed = true;
    this.#bytes = size;
    this.#end('whole');
    return true;
  }

  override resume(): void {
    this.#readerWaits = false;
    if (this.#cancelThrottle === undefined) this.#flow();
  }

  override abort(): void {
    super.abort();
    this.#end('abandoned');
  }

  demote(fault: MirrorFault): void {
    this.#options.demoted(fault);
  }

  override data(chunk: Buffer): boolean {
    const now = performance.now();
    this.#silence = Math.max(this.#silence, now - this.#lastAt);
    this.#lastAt = now;
    this.#bytes += chunk.length;
    this.#readerWaits = !super.data(chunk);
    if (this.#over) return true;
    this.#throttle(chunk.length, now);
    if (!this.#readerWaits && this.#cancelThrottle === undefined) return true;
    this.#pausedAt ??= now;
    return false;
  }

  override end(): void {
    this.#end('whole');
    super.end();
  }

  override error(error: GatewayError): void {
    this.#end(error);
    super.error(error);
  }

  /** Waits on the socket until the bytes are paid for; nothing is held in memory. */
  #throttle(bytes: number, now: number): void {
    let waitMs = 0;
    for (const bucket of this.#options.buckets) waitMs = Math.max(waitMs, bucket.take(bytes, now));
    // A timer has no finer step.
    if (waitMs < 1) return;
    this.#cancelThrottle?.();
    this.#cancelThrottle = this.#options.after(waitMs, () => {
      this.#cancelThrottle = undefined;
      if (!this.#readerWaits) this.#flow();
    });
  }

  #flow(): void {
    if (this.#over) return;
    if (this.#pausedAt !== undefined) {
      const now = performance.now();
      this.#pausedMs += now - this.#pausedAt;
      this.#pausedAt = undefined;
      this.#lastAt = now;
    }
    super.resume();
  }

  /** One timer for the whole body: it looks how long ago the last piece came. */
  #watch(): void {
    const { idleMs, after } = this.#options;
    if (idleMs === undefined) return;
    const look = (): void => {
      if (this.#over) return;
      const silent = this.#pausedAt === undefined ? performance.now() - this.#lastAt : 0;
      if (silent < idleMs) {
        this.#cancelWatch = after(idleMs - silent, look);
        return;
      }
      super.abort();
      this.error(silence());
    };
    this.#cancelWatch = after(idleMs, look);
  }

  #end(how: DeliveryEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelThrottle?.();
    this.#cancelWatch?.();
    const total = this.#consumed ? this.#lastAt - this.#startedAt : 0;
    this.#options.ended(how, {
      bytes: this.#bytes,
      ms: Math.max(0, total - this.#pausedMs),
      paced: this.#pausedMs > total * pacedShare,
      longestSilenceMs: this.#silence,
    });
  }
}

function silence(): GatewayError {
  return new GatewayError(
    'connection_read_timeout',
    'the upstream stopped sending for much longer than it usually does',
    { origin: 'upstream', retryable: true },
  );
}

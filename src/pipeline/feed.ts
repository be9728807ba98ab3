import { GatewayError } from '../core/errors.ts';
import type { DownloadedResponse } from '../upstream/downloader.ts';
import type { BodySink } from '../upstream/upstream.ts';
import type { Fill } from './fill.ts';
import { LaneMeter } from './lane-meter.ts';
import { Loan } from './loan.ts';
import { changed } from './part-check.ts';
import type { PrefixCheck } from './prefix-check.ts';

/** What a feed needs of a response. */
export type FeedResponse = Pick<
  DownloadedResponse,
  | 'status'
  | 'headers'
  | 'giveBack'
  | 'origin'
  | 'mirror'
  | 'requestTime'
  | 'responseTime'
  | 'consume'
  | 'resume'
  | 'abort'
  | 'demote'
>;

/** What a feed sees of the source it belongs to. */
export interface FeedOwner {
  /** Whether parts can be asked for: else this feed may be the only way to the bytes behind others. */
  readonly rangesWork: boolean;
  /** First position behind the feed's that another one will bring. */
  limitFor(feed: Feed): number;
  /** Bytes came. */
  took(feed: Feed): void;
  /** It has to wait until it is resumed. */
  held(): void;
  /** It has brought all that it can. */
  ended(feed: Feed): void;
  /** It broke off, or brings what must not be taken. */
  broke(feed: Feed, error: GatewayError): void;
  /** Milliseconds, on a clock that does not go back. */
  now(): number;
}

export interface FeedPlace {
  /** Where the response's first byte belongs. */
  readonly position: number;
  /** Exclusive; undefined: wherever the response ends. */
  readonly end: number | undefined;
  /** It was not asked for as a segment: it goes on until somebody else is in its way. */
  readonly open: boolean;
  /** What a body that comes once more must begin with. */
  readonly check?: PrefixCheck;
}

/** One connection's run of bytes into a fill. */
export class Feed implements BodySink {
  readonly response: FeedResponse;
  readonly open: boolean;
  readonly meter: LaneMeter;
  readonly #owner: FeedOwner;
  readonly #fill: Fill;
  readonly #end: number | undefined;
  readonly #check: PrefixCheck | undefined;
  #position: number;
  #brought = 0;
  #paused = false;

  constructor(
    owner: FeedOwner,
    fill: Fill,
    response: FeedResponse,
    { position, end, open, check }: FeedPlace,
  ) {
    this.#owner = owner;
    this.#fill = fill;
    this.response = response;
    this.open = open;
    this.meter = new LaneMeter(owner.now());
    this.#position = position;
    this.#end = end;
    this.#check = check;
  }

  /** Origin that it comes from. */
  get mirror(): string {
    return this.response.mirror ?? this.response.origin;
  }

  get position(): number {
    return this.#position;
  }

  /** Bytes that came of it. */
  get brought(): number {
    return this.#brought;
  }

  /** Where it will stop, as far as that is known now; exclusive. */
  get limit(): number {
    const neighbour = this.#owner.limitFor(this);
    const arrived = this.#fill.present.nextAfter(this.#position);
    return Math.min(neighbour, arrived, this.#end ?? Number.POSITIVE_INFINITY);
  }

  /** Whether it waits for us, not we for it. */
  get paused(): boolean {
    return this.#paused;
  }

  resume(): void {
    if (this.#paused) this.meter.waited(this.#owner.now());
    this.#paused = false;
    this.response.resume();
  }

  data(chunk: Buffer): boolean {
    this.meter.took(chunk.length, this.#owner.now());
    this.#brought += chunk.length;
    if (this.#check?.take(chunk) === false) {
      this.response.abort();
      this.#owner.broke(this, changed('its bytes are others under the same entity tag'));
      return true;
    }
    const flows = this.#owner.rangesWork ? this.#fillUpTo(chunk) : this.#fillGaps(chunk);
    this.#paused = !flows;
    if (!flows) this.#owner.held();
    return flows;
  }

  end(): void {
    // A part that is shorter than it said is no progress, however well it is framed.
    if (this.#end === undefined || this.#position >= this.#end) {
      this.#owner.ended(this);
      return;
    }
    this.response.demote('short');
    this.#owner.broke(this, incomplete());
  }

  error(error: GatewayError): void {
    this.#owner.broke(this, error);
  }

  #fillUpTo(chunk: Buffer): boolean {
    const { limit } = this;
    const taken = upTo(chunk, limit - this.#position);
    const loan = new Loan(this.response, chunk);
    const flows = taken.length === 0 || this.#fill.append(this.#position, taken, loan);
    loan.release();
    this.#position += taken.length;
    this.#owner.took(this);
    // Its own end is reached by the framing (`end`), which keeps the connection; a neighbour's
    // bytes, and more than was promised, only by us.
    if (this.#position >= limit && (limit !== this.#end || taken.length < chunk.length)) {
      this.response.abort();
      this.#owner.ended(this);
    }
    return flows;
  }

  /** Without range requests this is the only way to what is missing, through what is there already. */
  #fillGaps(whole: Buffer): boolean {
    const start = this.#position;
    const chunk = upTo(whole, (this.#end ?? Number.POSITIVE_INFINITY) - start);
    const end = start + chunk.length;
    let flows = true;
    const loan = new Loan(this.response, whole);
    for (let at = start; at < end; ) {
      const from = this.#fill.present.takenUpTo(at);
      const to = Math.min(end, this.#fill.present.nextAfter(from));
      if (from >= end || to <= from) break;
      const part = chunk.subarray(from - start, to - start);
      if (!this.#fill.append(from, part, loan)) flows = false;
      at = to;
    }
    loan.release();
    this.#position = end;
    this.#owner.took(this);
    return flows;
  }
}

function upTo(chunk: Buffer, length: number): Buffer {
  return chunk.length > length ? chunk.subarray(0, Math.max(0, length)) : chunk;
}

export function incomplete(): GatewayError {
  return new GatewayError('http_response_incomplete', 'the body ended before its length', {
    origin: 'upstream',
    retryable: true,
  });
}

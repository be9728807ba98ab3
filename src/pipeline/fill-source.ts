import type { ByteRange } from '../core/body.ts';
import { GatewayError } from '../core/errors.ts';
import { fieldValue } from '../core/raw-headers.ts';
import { parseContentRange } from '../policy/byte-range.ts';
import { strongEtag } from '../policy/conditional.ts';
import type { BodySink, UpstreamResponse } from '../upstream/upstream.ts';
import type { Fill } from './fill.ts';
import type { FillSource } from './fill-contract.ts';
import { declaredSize } from './framing.ts';

/** How far ahead of the bytes a reader must be for a connection of its own to pay. */
const jumpBytes = 1024 * 1024;
/** Connections besides the first that readers far ahead may have. */
const maxJumps = 4;
/** Broken connections in a row, without a byte between them, after which the body is given up. */
const maxBreaks = 3;

/** Asks the same upstreams for the rest or a part: a GET with `Range` and `If-Range`. */
export type FetchRange = (range: ByteRange, etag: string) => Promise<UpstreamResponse>;

/**
 * Brings a fill's bytes over upstream connections: first the ordinary response from its first byte,
 * then, where the response has a strong ETag and a length, range requests that resume after a broken
 * connection, serve readers far ahead, and close the gaps between. RFC 9110 section 14.
 */
export class UpstreamFillSource implements FillSource {
  readonly #fill: Fill;
  readonly #fetchRange: FetchRange;
  readonly #etag: string | undefined;
  readonly #feeds = new Set<Feed>();
  #rangesWork: boolean;
  #breaks = 0;
  readonly #asked = new Set<ByteRange>();
  #over = false;

  constructor(fill: Fill, first: UpstreamResponse, fetchRange: FetchRange) {
    this.#fill = fill;
    this.#fetchRange = fetchRange;
    this.#etag = strongEtag(first.headers);
    this.#rangesWork =
      this.#etag !== undefined &&
      fill.size !== undefined &&
      fieldValue(first.headers, 'accept-ranges')?.trim().toLowerCase() !== 'none';
    fill.connect(this);
    this.#feed(first, 0, fill.size);
  }

  resume(): void {
    for (const feed of this.#feeds) feed.response.resume();
  }

  /** A reader waits at `position`: worth a connection when the bytes are far from it. */
  want(position: number): void {
    if (!this.#rangesWork || this.#over || this.#feeds.size + this.#asked.size > maxJumps) return;
    const coming = [...this.#feeds].map((feed) => feed.position);
    for (const { first } of this.#asked) coming.push(first);
    // What it waits for is the first byte that is not there.
    const wanted = this.#fill.arrivedUpTo(position);
    if (coming.some((from) => wanted >= from && wanted - from < jumpBytes)) return;
    const gap = this.#gapAt(wanted);
    if (gap) this.#request(gap);
  }

  narrow(): void {
    const [nearest, ...others] = [...this.#feeds].sort((a, b) => a.position - b.position);
    if (!nearest) return;
    for (const feed of others) {
      feed.response.abort();
      this.#feeds.delete(feed);
    }
  }

  abort(): void {
    this.#over = true;
    for (const feed of this.#feeds) feed.response.abort();
    this.#feeds.clear();
  }

  // --- for the feeds ---

  /** Whether parts can be asked for. */
  get rangesWork(): boolean {
    return this.#rangesWork;
  }

  took(): void {
    this.#breaks = 0;
  }

  ended(feed: Feed): void {
    this.#feeds.delete(feed);
    this.#next();
  }

  broke(feed: Feed, error: GatewayError): void {
    this.#feeds.delete(feed);
    this.#breaks += 1;
    if (!this.#rangesWork || this.#breaks > maxBreaks) this.#giveUp(error);
    else this.#next();
  }

  /** First position at or after `position` that has arrived or that another feed will bring. */
  limitFor(feed: Feed): number {
    let limit = this.#fill.size ?? Number.POSITIVE_INFINITY;
    for (const other of this.#feeds) {
      if (other !== feed && other.position > feed.position) limit = Math.min(limit, other.position);
    }
    return limit;
  }

  // --- inside ---

  /** Takes a response's bytes from `position` up to `end` (exclusive; undefined: wherever it ends). */
  #feed(response: UpstreamResponse, position: number, end: number | undefined): void {
    const feed = new Feed(this, this.#fill, response, { position, end });
    this.#feeds.add(feed);
    response.consume(feed);
  }

  /** Finishes, or begins on the first gap that nobody works on. */
  #next(): void {
    if (this.#over) return;
    const { size } = this.#fill;
    if (size === undefined) {
      if (this.#feeds.size === 0) this.#finish();
      return;
    }
    const missing = this.#fill.missing();
    if (missing.length === 0) {
      this.#finish();
      return;
    }
    if (this.#feeds.size + this.#asked.size > 0) return;
    const gap = missing[0] as ByteRange;
    if (this.#rangesWork) this.#request(gap);
    else this.#giveUp(incomplete());
  }

  #finish(): void {
    this.abort();
    void this.#fill.finish();
  }

  #gapAt(position: number): ByteRange | undefined {
    const from = this.#fill.arrivedUpTo(position);
    const gap = this.#fill.missing().find(({ first, last }) => from >= first && from <= last);
    return gap && { first: from, last: gap.last };
  }

  #request(range: ByteRange): void {
    this.#asked.add(range);
    this.#fetchRange(range, this.#etag as string).then(
      (response) => {
        this.#asked.delete(range);
        this.#arrived(range, response);
      },
      (error: GatewayError) => {
        this.#asked.delete(range);
        this.#breaks += 1;
        if (this.#feeds.size === 0 && this.#breaks > maxBreaks) this.#giveUp(error);
        else this.#next();
      },
    );
  }

  #arrived(range: ByteRange, response: UpstreamResponse): void {
    if (this.#over) {
      response.abort();
      return;
    }
    const part = this.#part(range, response);
    if (!(part instanceof GatewayError)) {
      this.#feed(response, part.first, part.last + 1);
      return;
    }
    response.abort();
    this.#rangesWork = false;
    if (this.#feeds.size === 0) this.#giveUp(part);
  }

  /** A part is spliced in only when it is of what was asked for, of the same representation. */
  #part(range: ByteRange, { status, headers }: UpstreamResponse): ByteRange | GatewayError {
    if (status !== 206) return changed(`status ${status} to a range request`);
    const part = parseContentRange(fieldValue(headers, 'content-range') ?? '');
    if (
      !part ||
      part.first !== range.first ||
      part.last > range.last ||
      part.size !== this.#fill.size
    ) {
      return changed('Content-Range is not the range asked for');
    }
    const length = declaredSize(headers);
    if (length !== undefined && length !== part.last - part.first + 1) {
      return changed('its length is not that of its Content-Range');
    }
    // RFC 9110 section 15.3.7.3: parts are combined only under the same strong validator.
    if (strongEtag(headers) !== this.#etag) return changed('the entity tag is another one');
    return part;
  }

  #giveUp(error: GatewayError): void {
    this.abort();
    this.#fill.fail(error);
  }
}

/** One connection's run of bytes into the fill. */
class Feed implements BodySink {
  readonly response: UpstreamResponse;
  readonly #source: UpstreamFillSource;
  readonly #fill: Fill;
  readonly #end: number | undefined;
  #position: number;

  constructor(
    source: UpstreamFillSource,
    fill: Fill,
    response: UpstreamResponse,
    { position, end }: { position: number; end: number | undefined },
  ) {
    this.#source = source;
    this.#fill = fill;
    this.response = response;
    this.#position = position;
    this.#end = end;
  }

  get position(): number {
    return this.#position;
  }

  data(chunk: Buffer): boolean {
    if (!this.#source.rangesWork) return this.#fillGaps(chunk);
    const limit = this.#limit();
    const room = limit - this.#position;
    const taken = chunk.length > room ? chunk.subarray(0, room) : chunk;
    const flows = taken.length === 0 || this.#fill.append(this.#position, taken);
    this.#position += taken.length;
    this.#source.took();
    // The declared end is reached by the framing (`end`), a neighbour's bytes only by us.
    if (this.#position >= limit && limit !== this.#fill.size) {
      this.response.abort();
      this.#source.ended(this);
    }
    return flows;
  }

  end(): void {
    // A part that is shorter than it said is no progress, however well it is framed.
    if (this.#end !== undefined && this.#position < this.#end) {
      this.#source.broke(this, incomplete());
    } else {
      this.#source.ended(this);
    }
  }

  error(error: GatewayError): void {
    this.#source.broke(this, error);
  }

  /** Without range requests this is the only way to what is missing, through what is there already. */
  #fillGaps(chunk: Buffer): boolean {
    const start = this.#position;
    const end = start + chunk.length;
    let flows = true;
    for (let at = start; at < end; ) {
      const from = this.#fill.arrivedUpTo(at);
      const to = Math.min(end, this.#fill.nextArrived(from));
      if (from >= end || to <= from) break;
      if (!this.#fill.append(from, chunk.subarray(from - start, to - start))) flows = false;
      at = to;
    }
    this.#position = end;
    this.#source.took();
    return flows;
  }

  #limit(): number {
    const neighbour = this.#source.limitFor(this);
    const arrived = this.#fill.nextArrived(this.#position);
    return Math.min(neighbour, arrived, this.#end ?? Number.POSITIVE_INFINITY);
  }
}

function incomplete(): GatewayError {
  return new GatewayError('http_response_incomplete', 'the body ended before its length', {
    origin: 'upstream',
    retryable: true,
  });
}

function changed(why: string): GatewayError {
  return new GatewayError('representation_changed', `cannot continue the body: ${why}`, {
    origin: 'upstream',
  });
}

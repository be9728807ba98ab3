import type { ByteRange } from '../core/body.ts';
import type { GatewayError } from '../core/errors.ts';
import { strongEtag } from '../policy/conditional.ts';
import { Breaks } from './breaks.ts';
import { Bringers } from './bringers.ts';
import { Feed, type FeedOwner, type FeedPlace, type FeedResponse, incomplete } from './feed.ts';
import type { Fill } from './fill.ts';
import type { FillSource } from './fill-contract.ts';
import { type Asked, isComing, type LaneView, nextWork, remove, viewOf, watched } from './lanes.ts';
import { Parallel } from './parallel.ts';
import {
  acceptedRanges,
  changed,
  checkPart,
  type Identity,
  isSameWhole,
  notNow,
  type Way,
} from './part-check.ts';
import { PrefixCheck } from './prefix-check.ts';
import type { Refetch } from './refetch.ts';

/** How far ahead of the bytes a reader must be for a connection of its own to pay. */
const jumpBytes = 1024 * 1024;
/** Connections besides the first that readers far ahead may have. */
const maxJumps = 4;

/**
 * Brings a fill's bytes over upstream connections: first the ordinary response from its first byte
 * (or the part that an earlier attempt lacks), then, where the response has a length and a strong ETag
 * or the body a digest that it must have, range requests that resume after a break, serve readers far
 * ahead, bring large bodies in parallel, and close the gaps between. RFC 9110 section 14.
 */
export class UpstreamFillSource implements FillSource, FeedOwner {
  readonly #fill: Fill;
  readonly #refetch: Refetch;
  readonly #identity: Identity;
  readonly bringers = new Bringers();
  readonly #latency: number;
  readonly #servesRanges: boolean;
  readonly #feeds: Feed[] = [];
  readonly #asked: Asked[] = [];
  #parallel: Parallel | undefined;
  #way: Way;
  readonly #breaks = new Breaks();
  #over = false;

  /** `place`: where the first response belongs, when that is a part that was checked. */
  constructor(fill: Fill, first: FeedResponse, refetch: Refetch, place?: ByteRange) {
    this.#fill = fill;
    this.#refetch = refetch;
    const { size, isChecked } = fill;
    this.#identity = { etag: strongEtag(first.headers), size, isChecked };
    const identified = (this.#identity.etag !== undefined || isChecked) && size !== undefined;
    const accepted = acceptedRanges(first);
    this.#way = identified && accepted !== 'none' ? 'ranges' : 'none';
    // Not the response: what it holds is not to stay until the body is stored.
    this.#latency = first.responseTime - first.requestTime;
    this.#servesRanges = first.status === 206 || accepted === 'bytes';
    fill.connect(this);
    if (refetch.rangesIgnored && fill.present.claimed) this.#way = 'none';
    const position = place?.first ?? 0;
    if (this.rangesWork && fill.present.takenUpTo(position) > position) {
      // It begins with what is here already: the first gap is asked for in its place.
      first.abort();
      this.#next();
    } else this.#feed(first, { position, end: place ? place.last + 1 : size, open: true });
  }

  resume(): void {
    this.#parallel?.resumed();
    for (const feed of this.#feeds) feed.resume();
  }

  /** A reader waits at `position`: worth a connection when the bytes are far from it. */
  want(position: number): void {
    if (!this.rangesWork || this.#over || this.#busy > maxJumps) return;
    // What it waits for is the first byte that is not there.
    const gap = this.#fill.present.gapAt(this.#fill.present.takenUpTo(position));
    if (!gap || isComing(this.#feeds, this.#asked, gap.first, jumpBytes)) return;
    this.#askPart(gap, true);
  }

  narrow(): void {
    this.#parallel?.stop();
    const [, ...others] = [...this.#feeds].sort((a, b) => a.position - b.position);
    for (const feed of others) this.#drop(feed);
  }

  abort(): void {
    this.#over = true;
    this.#breaks.stop();
    this.#parallel?.stop();
    for (const feed of [...this.#feeds]) this.#drop(feed);
  }

  checked(): void {
    this.#next();
    for (const position of this.#fill.waiting) this.want(position);
  }

  /** Its connections, for whoever watches. */
  get lanes(): readonly LaneView[] {
    return watched(this.#feeds, this.#asked, this.now());
  }

  // --- for the feeds ---

  get rangesWork(): boolean {
    return this.#way === 'ranges';
  }

  now(): number {
    return this.#refetch.now();
  }

  took(_feed: Feed): void {
    this.#breaks.took();
    if (!this.rangesWork || this.#over) return;
    // Whole already: there is nothing to bring over more connections.
    if (this.#fill.present.bytes !== this.#fill.size) this.#lanes.took();
  }

  held(): void {
    this.#parallel?.held();
  }

  ended(feed: Feed): void {
    remove(this.#feeds, feed);
    this.#breaks.ended();
    this.#parallel?.done(feed.mirror, feed.meter.rate(this.now()));
    this.#next();
  }

  broke(feed: Feed, error: GatewayError): void {
    remove(this.#feeds, feed);
    this.#breaks.broke(feed.brought);
    if (this.#busy > 0) this.#parallel?.refused();
    if (this.#breaks.tooPoor) this.#distrust();
    if (this.#fill.size === undefined || this.#breaks.tooMany) this.#giveUp(error);
    else this.#next(error);
  }

  limitFor(feed: Feed): number {
    // By ranges it is not to bring what somebody else was asked for just now.
    const asked = this.rangesWork ? this.#asked : [];
    const next = nextWork(feed, this.#feeds, asked);
    return Math.min(this.#fill.size ?? Number.POSITIVE_INFINITY, next);
  }

  // --- inside ---

  /** Made when it is first needed: a body that comes in one piece has no use for it. */
  get #lanes(): Parallel {
    this.#parallel ??= new Parallel({
      most: () =>
        this.rangesWork && this.#fill.storing ? this.#refetch.connections(this.#etag) : 1,
      view: () => viewOf(this.#fill, this.#feeds, this.#asked, this.now()),
      next: () => this.#refetch.next(this.#etag),
      ask: (range) => this.#askPart(range),
      servesRanges: this.#servesRanges,
      latency: this.#latency,
      now: () => this.now(),
      budget: this.#refetch.budget,
    });
    return this.#parallel;
  }

  /** Connections at work, and those that were asked for. */
  get #busy(): number {
    return this.#feeds.length + this.#asked.length;
  }

  get #etag(): string | undefined {
    return this.#identity.etag;
  }

  #feed(response: FeedResponse, place: FeedPlace): void {
    const feed = new Feed(this, this.#fill, response, place);
    this.#feeds.push(feed);
    if (this.#fill.isChecked) this.bringers.note(response);
    response.consume(feed);
  }

  #drop(feed: Feed): void {
    remove(this.#feeds, feed);
    feed.response.abort();
  }

  /** Finishes, or begins on the first gap that nobody works on; `error` says why there is no way to it. */
  #next(error?: GatewayError): void {
    if (this.#over) return;
    const missing = this.#fill.present.missing()[0];
    if (missing === undefined) {
      // What is missing after all shows when it was checked.
      if (this.#fill.present.claimed || (this.#fill.size === undefined && this.#busy > 0)) return;
      this.abort();
      void this.#fill.finish();
      return;
    }
    if (this.#busy > 0) return;
    switch (this.#way) {
      case 'ranges':
        this.#askPart(missing);
        return;
      case 'whole':
        this.#askWhole();
        return;
      case 'none':
        this.#giveUp(error ?? incomplete());
        return;
    }
  }

  #askPart(range: ByteRange, open = false): void {
    // Whoever was silent at it is given up.
    for (const feed of [...this.#feeds]) if (feed.position === range.first) this.#drop(feed);
    const asked = { range, at: this.now() };
    this.#asked.push(asked);
    this.#refetch.part(range, this.#etag).then(
      (response) => {
        remove(this.#asked, asked);
        this.#lanes.answered(this.now() - asked.at);
        this.#partArrived(range, response, open);
      },
      (error: GatewayError) => {
        remove(this.#asked, asked);
        this.#breaks.broke();
        if (this.#busy > 0) this.#parallel?.refused();
        else if (this.#breaks.tooMany) this.#giveUp(error);
        else this.#next(error);
      },
    );
  }

  #partArrived(range: ByteRange, response: FeedResponse, open: boolean): void {
    if (this.#over || this.#fill.present.takenUpTo(range.first) > range.last) {
      response.abort();
      this.#next();
      return;
    }
    if (notNow.has(response.status)) {
      response.abort();
      // Beside others it may be one too many; alone it says nothing of the body, which waits.
      if (this.#busy > 0) this.#parallel?.refused();
      else if (!this.#breaks.refused(() => this.#next())) this.#giveUp(incomplete());
      return;
    }
    const part = checkPart(range, response, this.#identity);
    if (!(part instanceof Error)) {
      this.#lanes.served();
      this.#feed(response, { position: part.first, end: part.last + 1, open });
      return;
    }
    // A 200 to a range request is the whole: all that is needed, where nothing else is coming.
    if (this.#busy === 0 && isSameWhole(response, this.#identity)) {
      this.#way = 'none';
      this.#feedWhole(response);
      return;
    }
    response.abort();
    this.#distrust();
    this.#next(part);
  }

  /** No more parts: what is not coming already has to come with the whole. */
  #distrust(): void {
    this.#parallel?.stop();
    if (this.#way === 'ranges') this.#way = 'whole';
  }

  /** Once: what is there already is passed over, and held against what comes. */
  #askWhole(): void {
    this.#way = 'none';
    const whole = { range: { first: 0, last: (this.#fill.size as number) - 1 }, at: this.now() };
    this.#asked.push(whole);
    this.#refetch.whole().then(
      (response) => {
        remove(this.#asked, whole);
        if (!this.#over && isSameWhole(response, this.#identity)) {
          this.#feedWhole(response);
          return;
        }
        response.abort();
        this.#giveUp(changed('the whole is another one, too'));
      },
      (error: GatewayError) => this.#giveUp(error),
    );
  }

  #feedWhole(response: FeedResponse): void {
    const check = new PrefixCheck(this.#fill.prefix());
    this.#feed(response, { position: 0, end: this.#fill.size, open: true, check });
  }

  #giveUp(error: GatewayError): void {
    this.abort();
    this.#fill.fail(error);
  }
}

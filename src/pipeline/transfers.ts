import type { FillFigures, FillsFigures, SegmentFigures } from '../core/fill-figures.ts';
import { Roster } from '../core/roster.ts';
import type { Fill } from './fill.ts';
import type { LaneView } from './lanes.ts';
import { TransferSpeed } from './transfer-speed.ts';

/** A fill with where it comes from. */
export interface Transfer {
  readonly fill: Fill;
  readonly source: {
    /** Its connections, those that were only asked for included. */
    readonly lanes: readonly LaneView[];
    /** Milliseconds, on a clock that does not go back. */
    now(): number;
  };
  readonly request: {
    readonly url: string;
    readonly ecosystem: string;
    readonly mount?: string;
  };
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** What is known of a transfer that somebody looked at. */
interface Watched {
  readonly id: number;
  readonly speed: TransferSpeed;
}

const mostShown = 256;

/** The fills under way, for whoever wants to watch: nothing is computed until somebody looks. */
export class Transfers {
  readonly #active = new Roster<Transfer>();
  readonly #watched = new WeakMap<Transfer, Watched>();
  #seen = 0;

  /** Shows the fill until it has settled. */
  begin(transfer: Transfer): void {
    this.#active.add(transfer);
    void transfer.fill.settled.then(() => this.#active.delete(transfer));
  }

  figures(): FillsFigures {
    const fills: FillFigures[] = [];
    for (const transfer of this.#active) {
      if (fills.length === mostShown) break;
      fills.push(figuresOf(transfer, this.#watch(transfer)));
    }
    return { active: this.#active.size, fills };
  }

  #watch(transfer: Transfer): Watched {
    const known = this.#watched.get(transfer);
    if (known !== undefined) return known;
    this.#seen += 1;
    const watched = { id: this.#seen, speed: new TransferSpeed() };
    this.#watched.set(transfer, watched);
    return watched;
  }
}

function figuresOf(
  { fill, source, request, startedAt }: Transfer,
  { id, speed }: Watched,
): FillFigures {
  const { lanes } = source;
  const { bytes } = fill.present;
  const rates = lanes.flatMap(({ rate }) => (rate === undefined ? [] : [rate]));
  const current = rates.length === 0 ? undefined : rates.reduce((sum, rate) => sum + rate, 0);
  const rate = speed.look({ at: source.now(), bytes: fill.present.brought, current });
  const left = fill.size === undefined ? undefined : fill.size - bytes;
  const seconds =
    left === undefined || rate === undefined ? undefined : left === 0 ? 0 : left / rate / 1000;
  return {
    id,
    url: request.url,
    ecosystem: request.ecosystem,
    mount: request.mount ?? null,
    startedAt: new Date(startedAt).toISOString(),
    size: fill.size ?? null,
    bytes,
    readers: fill.readers,
    storing: fill.storing,
    speed: perSecond(rate),
    etaSeconds: seconds !== undefined && Number.isFinite(seconds) ? Math.ceil(seconds) : null,
    segments: lanes.map(segmentOf),
  };
}

function segmentOf({ state, mirror, first, end, bytes, rate }: LaneView): SegmentFigures {
  const last = Number.isFinite(end) ? end - 1 : null;
  return { state, mirror: mirror ?? null, first, last, bytes, speed: perSecond(rate) };
}

/** JSON has no undefined. */
function perSecond(rate: number | undefined): number | null {
  return rate === undefined ? null : Math.round(rate * 1000);
}

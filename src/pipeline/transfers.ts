import type { FillFigures, FillsFigures, SegmentFigures } from '../core/fill-figures.ts';
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

interface Active extends Transfer {
  readonly id: number;
  readonly speed: TransferSpeed;
}

const mostShown = 256;

/** The fills under way, for whoever wants to watch: nothing is computed until somebody looks. */
export class Transfers {
  readonly #active = new Set<Active>();
  #begun = 0;

  /** Shows the fill until it has settled. */
  begin(transfer: Transfer): void {
    this.#begun += 1;
    const active = { ...transfer, id: this.#begun, speed: new TransferSpeed() };
    this.#active.add(active);
    void transfer.fill.settled.then(() => this.#active.delete(active));
  }

  figures(): FillsFigures {
    const fills: FillFigures[] = [];
    for (const active of this.#active) {
      if (fills.length === mostShown) break;
      fills.push(figuresOf(active));
    }
    return { active: this.#active.size, fills };
  }
}

function figuresOf({ id, fill, source, request, startedAt, speed }: Active): FillFigures {
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

import { RangeSet } from '../../src/policy/byte-range.ts';
import { LaneCount } from '../../src/upstream/lane-count.ts';
import { type Lane, nextSegment } from '../../src/upstream/segment-plan.ts';

export interface SimulatedMirror {
  /** Bytes a millisecond of one connection, `now` milliseconds from the start. */
  readonly perConnection: (now: number) => number;
  /** Bytes a millisecond of all together. */
  readonly total?: number;
  /** Milliseconds to the first byte of a request. */
  readonly latency: number;
  readonly connections: number;
}

export interface Simulated {
  /** Milliseconds until the body was whole. */
  readonly ms: number;
  /** Milliseconds until somebody who reads in order, at the pace of `readerRate`, had it all. */
  readonly readMs: number;
  readonly requests: number;
  /** The most connections at once. */
  readonly lanes: number;
}

interface Connection {
  readonly mirror: SimulatedMirror;
  readonly open: boolean;
  readonly startedAt: number;
  position: number;
  limit: number;
  bytes: number;
  lastByteAt: number;
}

const stalledMs = 1_000;
const judgeMs = 12;
/** Bytes a millisecond. */
const readerRate = 500_000;

/** A download in steps of a millisecond, decided on by the real plan; the first mirror begins. */
export function simulate(size: number, mirrors: readonly SimulatedMirror[], max = 8): Simulated {
  const simulation = new Simulation(size, mirrors, max);
  let ms: number | undefined;
  for (let now = 1; now < 1_000_000; now++) {
    if (ms === undefined && simulation.step(now)) ms = now;
    if (simulation.read() === size && ms !== undefined) return { ms, readMs: now, ...simulation };
  }
  throw new Error('the download never ends');
}

class Simulation {
  requests = 0;
  lanes = 0;
  readonly #size: number;
  readonly #mirrors: readonly SimulatedMirror[];
  readonly #count: LaneCount;
  readonly #present = new RangeSet();
  #connections: Connection[] = [];
  /** Mirrors that fell silent. */
  readonly #left = new Set<SimulatedMirror>();
  #begun = false;
  #read = 0;

  constructor(size: number, mirrors: readonly SimulatedMirror[], max: number) {
    this.#size = size;
    this.#mirrors = mirrors;
    this.#count = new LaneCount({ max });
    this.#connect(mirrors[0] as SimulatedMirror, { first: 0, last: size - 1 }, 0, true);
  }

  /** A millisecond of the reader; how far it is. */
  read(): number {
    this.#read = Math.min(this.#read + readerRate, this.#present.runEnd(0));
    return this.#read;
  }

  /** Whether the body is whole. */
  step(now: number): boolean {
    for (const mirror of this.#mirrors) this.#flow(mirror, now);
    if (this.#present.bytes === this.#size) return true;
    this.#connections = this.#connections.filter(
      ({ position, limit }) => position < limit && this.#present.runEnd(position) < limit,
    );
    this.#adjust(now);
    for (const mirror of this.#mirrors) this.#fetch(mirror, now);
    this.lanes = Math.max(this.lanes, this.#connections.length);
    return false;
  }

  #connect(
    mirror: SimulatedMirror,
    { first, last }: { first: number; last: number },
    startedAt: number,
    open: boolean,
  ): void {
    this.requests += 1;
    const lastByteAt = startedAt + mirror.latency;
    const place = { position: first, limit: last + 1, bytes: 0, lastByteAt };
    this.#connections.push({ mirror, open, startedAt, ...place });
  }

  #flow(mirror: SimulatedMirror, now: number): void {
    const flowing = this.#connections.filter(
      (each) => each.mirror === mirror && now - each.startedAt >= mirror.latency,
    );
    const fair = (mirror.total ?? Number.POSITIVE_INFINITY) / Math.max(1, flowing.length);
    const speed = Math.floor(Math.min(mirror.perConnection(now), fair));
    for (const each of flowing) {
      const bytes = Math.min(speed, each.limit - each.position);
      if (bytes <= 0) continue;
      this.#present.add({ first: each.position, last: each.position + bytes - 1 });
      each.position += bytes;
      each.bytes += bytes;
      each.lastByteAt = now;
    }
  }

  #adjust(now: number): void {
    const flowing = this.#connections.filter(({ bytes }) => bytes > 0);
    const [first] = flowing;
    if (!this.#begun && first && now - first.startedAt - first.mirror.latency >= judgeMs) {
      this.#begun = true;
      const rate = rateOf(first, now);
      if ((this.#size - this.#present.bytes) / rate > 300) this.#count.begin(rate);
    }
    if (this.#begun) {
      this.#count.observe({ at: now, bytes: this.#present.bytes, flowing: flowing.length });
    }
  }

  #fetch(mirror: SimulatedMirror, now: number): void {
    const silent = (each: Connection) => each.mirror === mirror && laneOf(each, now).stalled;
    if (this.#connections.some(silent)) this.#left.add(mirror);
    if (this.#left.has(mirror)) return;
    const used = () => this.#connections.filter((each) => each.mirror === mirror).length;
    while (this.#connections.length < this.#count.target && used() < mirror.connections) {
      const range = nextSegment({
        missing: this.#present.missing({ first: 0, last: this.#size - 1 }),
        lanes: this.#connections.map((each) => laneOf(each, now)),
        waiting: [this.#present.runEnd(0)],
        until: Number.POSITIVE_INFINITY,
        rate: mirror.perConnection(0),
        latency: mirror.latency,
      });
      if (!range) return;
      this.#connections = this.#connections.filter(({ position }) => position !== range.first);
      for (const each of this.#connections) {
        if (each.position < range.first) each.limit = Math.min(each.limit, range.first);
      }
      this.#connect(mirror, range, now, false);
    }
  }
}

function rateOf({ bytes, startedAt, mirror }: Connection, now: number): number {
  const ms = now - startedAt - mirror.latency + 1;
  return bytes > 0 ? bytes / ms : mirror.perConnection(0);
}

function laneOf(each: Connection, now: number): Lane {
  const { position, limit, open } = each;
  const stalled = now - each.lastByteAt > stalledMs;
  return { position, limit, open, rate: rateOf(each, now), stalled };
}

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Every, systemEvery } from './core/every.ts';
import type { Logger } from './core/logger.ts';
import { openAllocator } from './gateway-allocator.ts';

/** What a process gives that is the gateway's own; no other is tampered with. */
export interface OwnProcess {
  /** Node's module `node:ffi`, where it has one. */
  readonly loadFfi?: () => unknown;
}

/** What is looked at; bytes, and microseconds since the start of the process. */
export interface ReclaimProbe {
  memoryUsage(): { readonly rss: number; readonly external: number };
  cpuUsage(): { readonly user: number; readonly system: number };
}

/** What gives memory back to the system. */
export interface Reclaiming {
  /** What `malloc` has and nobody uses: some milliseconds. Undefined where it cannot be asked. */
  readonly trim: (() => void) | undefined;
  /** All garbage: a tenth of a second, and for a time after it the engine has to learn some code anew. */
  collect(): void;
}

export interface ReclaimerOptions {
  readonly reclaiming: Reclaiming;
  readonly probe: ReclaimProbe;
  /** Fills under way. */
  readonly fills: () => number;
  /** Milliseconds, on any clock. */
  readonly now: () => number;
  /** Timers, instead of the system's. */
  readonly every?: Every;
}

const everyMs = 1_000;
/** The share of a processor that a resting process uses at most: a scrape, a health check. */
const restShare = 0.05;
/**
 * So many looks in a row that find rest, until memory goes back: after a shorter pause the next requests
 * would pay for it, which need it again.
 */
const restAfter = 30;
/** The same where nobody needs it again: what the start leaves behind, or a collection of ours. */
const restAfterOwn = 2;
/** So much more than after the last collection, that another one is worth its pause. */
const worthCollectingBytes = 32 * 1024 * 1024;
/** What the engine has let go of since, that it is worth to trim again. */
const worthTrimmingBytes = 1024 * 1024;
/** Under lasting pressure requests must not wait again and again: for collections, and for trims. */
const betweenCollectionsMs = 60_000;
const betweenTrimsMs = 10_000;

/**
 * Gives memory back, once the gateway rests and when memory runs short: V8 by itself collects late and
 * keeps the pages, and `malloc` keeps what it was given back.
 */
export class Reclaimer {
  readonly #options: ReclaimerOptions;
  readonly #stop: () => void;
  /** Looks in a row that found rest. */
  #quiet = 0;
  /** Whether there was work since memory was given back. */
  #worked = true;
  /** How many looks have to find rest this time. */
  #patience = restAfterOwn;
  #cpu: number;
  /** What the process kept after the last collection, in bytes. */
  #rss = 0;
  /** What it had outside the engine's heap after the last trim. */
  #external = 0;
  /** When memory was short, on the options' clock. */
  #collectedAt = Number.NEGATIVE_INFINITY;
  #trimmedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ReclaimerOptions) {
    this.#options = options;
    this.#cpu = this.#cpuNow();
    this.#stop = (options.every ?? systemEvery)(everyMs, () => this.#look());
  }

  /** Memory is short, or has just become so; false where too little time has passed since the last time. */
  relieve(rises: boolean): boolean {
    const time = this.#options.now();
    const collects = rises && time >= this.#collectedAt + betweenCollectionsMs;
    if (!collects && time < this.#trimmedAt + betweenTrimsMs) return false;
    if (collects) {
      this.#collectedAt = time;
      this.#collect();
    }
    this.#trimmedAt = time;
    this.#trim();
    return true;
  }

  close(): void {
    this.#stop();
  }

  #look(): void {
    const { probe, fills } = this.#options;
    const before = this.#cpu;
    this.#cpu = this.#cpuNow();
    const atRest = this.#cpu - before < restShare * everyMs * 1_000 && fills() === 0;
    this.#quiet = atRest ? this.#quiet + 1 : 0;
    if (!atRest) this.#worked = true;
    if (this.#quiet < this.#patience) return;
    const { rss, external } = probe.memoryUsage();
    const grown = this.#quiet >= restAfter && rss > this.#rss + worthCollectingBytes;
    this.#patience = grown ? restAfterOwn : restAfter;
    if (grown) this.#collect();
    // The engine frees what it has collected a little later.
    if (grown || this.#worked || external < this.#external - worthTrimmingBytes) this.#trim();
    this.#worked = false;
  }

  #collect(): void {
    this.#options.reclaiming.collect();
    this.#rss = Number.POSITIVE_INFINITY;
  }

  #trim(): void {
    const { reclaiming, probe } = this.#options;
    reclaiming.trim?.();
    const { rss, external } = probe.memoryUsage();
    this.#rss = Math.min(this.#rss, rss);
    this.#external = external;
  }

  #cpuNow(): number {
    const { user, system } = this.#options.probe.cpuUsage();
    return user + system;
  }
}

/** For the process, if it is the gateway's own. */
export function openReclaimer(
  { probe, loadFfi }: OwnProcess & { readonly probe: ReclaimProbe },
  { log, ...options }: Pick<ReclaimerOptions, 'fills' | 'now'> & { readonly log: Logger },
): Reclaimer | undefined {
  if (loadFfi === undefined) return undefined;
  return new Reclaimer({ ...options, probe, reclaiming: reclaimingOf(loadFfi(), log) });
}

function reclaimingOf(ffi: unknown, log: Logger): Reclaiming {
  const collect = collectGarbage;
  try {
    return { trim: openAllocator(ffi).trim, collect };
  } catch (error) {
    log.debug({ err: error }, 'freed memory goes back to the system when malloc sees fit');
    return { trim: undefined, collect };
  }
}

/**
 * Not as a last resort, which would give back more, and compiled code with it: the next ten thousand
 * misses would cost twice as much.
 */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  // It was for this context alone.
  setFlagsFromString('--no-expose-gc');
  if (typeof gc === 'function') gc({ type: 'major' });
}

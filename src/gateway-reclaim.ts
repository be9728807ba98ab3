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
  memoryUsage(): { readonly external: number };
  cpuUsage(): { readonly user: number; readonly system: number };
}

/** What gives memory back to the system. */
export interface Reclaiming {
  /** What `malloc` has and nobody uses: some milliseconds. Undefined where it cannot be asked. */
  readonly trim: (() => void) | undefined;
  /** All garbage, and what the engine keeps in hand: a tenth of a second and more. */
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
/** So many looks in a row that find rest, until something is done about it. */
const patience = 2;
/** What the engine has let go of, for that it is worth the while. */
const worthwhileBytes = 1024 * 1024;
/** Under lasting pressure requests must not wait for collections again and again. */
const betweenCollectionsMs = 60_000;

/**
 * Gives memory back: while the gateway rests what `malloc` holds for nothing, as the engine frees it;
 * and all that can be had when memory runs short.
 */
export class Reclaimer {
  readonly #options: ReclaimerOptions;
  readonly #stop: () => void;
  /** Looks in a row that found rest. */
  #quiet = 0;
  /** Whether there was work since the last trim. */
  #worked = true;
  #cpu: number;
  /** Bytes outside the engine's heap when it was trimmed last. */
  #external = 0;
  #collectedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ReclaimerOptions) {
    this.#options = options;
    this.#cpu = this.#cpuNow();
    this.#stop = (options.every ?? systemEvery)(everyMs, () => this.#look());
  }

  /** Memory is short; false where too little time has passed since the last time. */
  relieve(): boolean {
    const { reclaiming, now } = this.#options;
    const time = now();
    if (time < this.#collectedAt + betweenCollectionsMs) return false;
    this.#collectedAt = time;
    reclaiming.collect();
    reclaiming.trim?.();
    return true;
  }

  close(): void {
    this.#stop();
  }

  #look(): void {
    const { reclaiming, probe, fills } = this.#options;
    const before = this.#cpu;
    this.#cpu = this.#cpuNow();
    const atRest = this.#cpu - before < restShare * everyMs * 1_000 && fills() === 0;
    this.#quiet = atRest ? this.#quiet + 1 : 0;
    if (!atRest) this.#worked = true;
    if (this.#quiet < patience) return;
    const { external } = probe.memoryUsage();
    if (!this.#worked && external > this.#external - worthwhileBytes) return;
    reclaiming.trim?.();
    this.#worked = false;
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

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  if (typeof gc === 'function') gc({ type: 'major', flavor: 'last-resort' });
}

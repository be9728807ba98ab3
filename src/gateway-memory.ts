import type { Config } from './config/config.ts';
import { type Every, systemEvery } from './core/every.ts';
import type { Logger } from './core/logger.ts';
import {
  allowance,
  type PressureLevel,
  pressureLevel,
  pressureLevels,
  usedShare,
} from './core/memory-pressure.ts';
import type { MemoryStore } from './storage/memory-store.ts';
import type { MemorySample } from './telemetry/state-sample.ts';

/** What is asked of the process and the machine it runs on; all in bytes. */
export interface MemoryProbe {
  memoryUsage(): { readonly rss: number; readonly heapUsed: number; readonly external: number };
  /** What a container (cgroup v1 or v2) allows; 0, or more than there is, where nothing does. */
  constrainedMemory(): number;
  /** What the machine has. */
  totalMemory(): number;
  /** What the garbage-collected heap may have. */
  heapLimit(): number;
}

export interface MemorySettings {
  /** Of the process; undefined: the container's, or a share of the machine's memory. */
  readonly limit: number | undefined;
  /** Of the tier. */
  readonly tierBytes: number;
  /** For one body. */
  readonly connections: number;
}

export interface MemoryGuardOptions {
  readonly probe: MemoryProbe;
  readonly tier: Pick<MemoryStore, 'bound' | 'setBound'>;
  readonly log: Logger;
  /** What the configuration says now. */
  readonly settings: () => MemorySettings;
  /** Gives back what can be given back without loss; false where it did nothing. */
  readonly relieve?: (rises: boolean) => boolean;
  /** Timers, instead of the system's. */
  readonly every?: Every;
}

const everyMs = 1_000;
/** Of the machine's memory, where neither the operator nor a container says anything. */
const shareOfMachine = 0.75;

/**
 * Watches the memory of the process. As it nears its limit the memory tier shrinks, then the number
 * of parallel connections, and both come back afterwards.
 */
export class MemoryGuard {
  readonly #options: MemoryGuardOptions;
  readonly #stop: () => void;
  #level: PressureLevel = 'none';

  constructor(options: MemoryGuardOptions) {
    this.#options = options;
    this.#stop = (options.every ?? systemEvery)(everyMs, () => this.check());
  }

  /** Connections at once that one body may have just now. */
  get connections(): number {
    const { connections } = this.#options.settings();
    return Math.max(1, Math.floor(connections * allowance(this.#level).connections));
  }

  /** Looks now, and not only with the next second. */
  check(): MemorySample {
    const { tier, log, settings, relieve } = this.#options;
    const { tierBytes } = settings();
    const before = this.#level;
    let used = this.#usage(before);
    // Garbage goes before what is of use.
    const short = used.level !== 'none' && relieve?.(isGraver(used.level, before));
    if (short === true) used = this.#usage(before);
    const { rss, heapUsed, external, limit } = used;
    this.#level = used.level;
    const tierBound = Math.floor(tierBytes * allowance(this.#level).tier);
    const { connections } = this;
    if (this.#level !== before) {
      tier.setBound(tierBound);
      log[isGraver(this.#level, before) ? 'warn' : 'info'](
        { pressure: this.#level, before, rss, heapUsed, external, limit, tierBound, connections },
        'memory pressure changed',
      );
    }
    const pressure = pressureLevels.indexOf(this.#level);
    return { pressure, limit, tierBound: tier.bound, connections };
  }

  close(): void {
    this.#stop();
  }

  #usage(before: PressureLevel) {
    const { probe } = this.#options;
    const { rss, heapUsed, external } = probe.memoryUsage();
    const limit = this.#limit();
    const share = usedShare({ rss, heapUsed, limit, heapLimit: probe.heapLimit() });
    return { rss, heapUsed, external, limit, level: pressureLevel(share, before) };
  }

  #limit(): number {
    const { probe, settings } = this.#options;
    const { limit } = settings();
    if (limit !== undefined) return limit;
    const total = probe.totalMemory();
    const constrained = probe.constrainedMemory();
    return constrained > 0 && constrained < total ? constrained : total * shareOfMachine;
  }
}

/** What of `config` counts; another size of the tier waits for a restart. */
export function memorySettings(config: Config, started: Config): MemorySettings {
  const { connections } = config.limits;
  return { limit: config.memoryLimit, tierBytes: started.memory, connections };
}

function isGraver(level: PressureLevel, before: PressureLevel): boolean {
  return pressureLevels.indexOf(level) > pressureLevels.indexOf(before);
}

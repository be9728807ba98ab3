import { type ClassMemory, type MirrorMemory, MirrorRecord } from './mirror-record.ts';
import type { AverageRecord } from './moving-average.ts';
import { type SizeClass, sizeClasses } from './size-class.ts';

/** On a forward proxy clients choose the names: beyond this, who was not used for longest is forgotten. */
const mostMirrors = 256;
const version = 1;

/** What is known of the mirrors, by origin (`http://host:port`). */
export class MirrorTracker {
  /** Least recently used first. */
  readonly #records = new Map<string, MirrorRecord>();
  /** Used last: mostly that is the one which is asked for next. */
  #latest: { readonly origin: string; readonly record: MirrorRecord } | undefined;

  /** The record of a mirror, begun where there is none. */
  of(origin: string): MirrorRecord {
    if (this.#latest?.origin === origin) return this.#latest.record;
    const known = this.#records.get(origin);
    if (known !== undefined) {
      this.#latest = { origin, record: known };
      this.#records.delete(origin);
      this.#records.set(origin, known);
      return known;
    }
    const record = new MirrorRecord();
    this.#add(origin, record);
    return record;
  }

  /** The same without beginning one. */
  known(origin: string): MirrorRecord | undefined {
    return this.#records.get(origin);
  }

  get entries(): Iterable<readonly [origin: string, record: MirrorRecord]> {
    return this.#records;
  }

  /** All averages, for `restore`; it survives a round trip through JSON. */
  get memory(): object {
    const mirrors = Object.fromEntries(
      [...this.#records].map(([origin, record]) => [origin, record.memory]),
    );
    return { version, mirrors };
  }

  /** Takes over what `memory` gave in an earlier life; false where it is not that. */
  restore(memory: unknown): boolean {
    const { version: given, mirrors } = asObject(memory);
    if (given !== version || typeof mirrors !== 'object' || mirrors === null) return false;
    const read = Object.entries(mirrors).map(
      ([origin, value]) => [origin, readMirror(value)] as const,
    );
    if (read.some(([, mirror]) => mirror === undefined)) return false;
    for (const [origin, mirror] of read) {
      if (!this.#records.has(origin)) this.#add(origin, new MirrorRecord(mirror));
    }
    return true;
  }

  #add(origin: string, record: MirrorRecord): void {
    this.#records.set(origin, record);
    this.#latest = { origin, record };
    if (this.#records.size <= mostMirrors) return;
    const [oldest] = this.#records.keys();
    if (oldest !== undefined) this.#records.delete(oldest);
  }
}

function readMirror(value: unknown): MirrorMemory | undefined {
  const { connectMs, gain, classes } = asObject(value);
  const read = { connectMs: readAverage(connectMs), gain: readAverage(gain) };
  if (!read.connectMs || !read.gain || typeof classes !== 'object' || classes === null) {
    return undefined;
  }
  const known: Partial<Record<SizeClass, ClassMemory>> = {};
  for (const name of sizeClasses) {
    const given = asObject(classes)[name];
    if (given === undefined) continue;
    const { firstByteMs, throughput, failures } = asObject(given);
    const averages = {
      firstByteMs: readAverage(firstByteMs),
      throughput: readAverage(throughput),
      failures: readAverage(failures),
    };
    if (!averages.firstByteMs || !averages.throughput || !averages.failures) return undefined;
    known[name] = averages as ClassMemory;
  }
  return { connectMs: read.connectMs, gain: read.gain, classes: known };
}

function readAverage(value: unknown): AverageRecord | undefined {
  const { mean, weight, at } = asObject(value);
  return isAmount(mean) && isAmount(weight) && isAmount(at) ? { mean, weight, at } : undefined;
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

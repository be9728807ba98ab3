import type { Contestant } from './peers/peer.ts';
import { monotonicMs } from './processes/monotonic.ts';
import { type Usage, usageOf } from './processes/usage.ts';
import type { Sample } from './sample.ts';
import type { Round } from './scenario.ts';

/** What a contestant's process used while something was measured; empty where it has none of its own. */
export interface Cost {
  /** Milliseconds. */
  readonly cpuMs?: number;
  /** Share of its core that it was busy, in percent. */
  readonly busy?: number;
  /** Resident memory afterwards, in MiB. */
  readonly rss?: number;
}

/** Does something, and says what it cost the contestant. */
export async function withCost<T>(
  { pid }: Contestant,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly cost: Cost }> {
  if (pid === undefined) return { result: await work(), cost: {} };
  const before: Usage = await usageOf(pid);
  const startedAt = monotonicMs();
  const result = await work();
  const ms = monotonicMs() - startedAt;
  const after = await usageOf(pid);
  const cpuMs = after.cpuMs - before.cpuMs;
  return { result, cost: { cpuMs, busy: (cpuMs / ms) * 100, rss: after.rss / 1024 / 1024 } };
}

type Measured = Pick<Sample, 'values' | 'problems'>;

/** Measures one contestant after the other; what is wrong with one voids its sample and no other. */
export async function eachAlone(
  { number: round }: Round,
  contestants: readonly Contestant[],
  measure: (contestant: Contestant) => Promise<Measured>,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const contestant of contestants) {
    const { values, problems } = await measured(() => measure(contestant));
    const why = problems.length > 0 ? await contestant.complaint?.() : undefined;
    samples.push({
      peer: contestant.name,
      round,
      values,
      problems: why === undefined ? problems : [...problems, `its log: ${why}`],
    });
  }
  return samples;
}

async function measured(measure: () => Promise<Measured>): Promise<Measured> {
  try {
    return await measure();
  } catch (error) {
    return { values: {}, problems: [error instanceof Error ? error.message : String(error)] };
  }
}

/** Asks for bodies once each, by SHA-256: what was wrong with them. */
export async function verified(
  { bench }: Round,
  { base }: Contestant,
  ...paths: readonly string[]
): Promise<readonly string[]> {
  const { targets } = await bench.load.call('alternate', { targets: [{ base, paths }] });
  return targets[0]?.problems ?? [];
}

/** How often the origin was asked for these since the last time. */
export async function upstreamRequests(
  { bench }: Round,
  paths: readonly string[],
): Promise<number> {
  const accounts = await bench.origin.call('take', paths);
  return accounts.reduce((sum, { requests }) => sum + requests, 0);
}

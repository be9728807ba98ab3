import type { Bench } from './bench.ts';
import type { Contestant, Peer } from './peers/peer.ts';
import type { Sample, Scenario } from './scenario.ts';

export interface RunOptions {
  readonly rounds: number;
  readonly smoke: boolean;
  readonly full: boolean;
}

/** Runs a scenario: rounds interleaved, so that what else the machine does meets all alike. */
export async function runScenario(
  bench: Bench,
  scenario: Scenario,
  contestants: readonly Peer[],
  { rounds, smoke, full }: RunOptions,
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  let running: readonly Contestant[] = [];
  try {
    for (let number = 0; number < rounds; number++) {
      if (scenario.freshEachRound) running = await stopAll(running);
      if (running.length === 0) running = await startAll(bench, scenario, contestants);
      const order = rotated(running, number);
      const measured = await scenario.run({ bench, number, smoke, full }, order);
      samples.push(...measured.map((sample) => withCrash(sample, running)));
    }
  } finally {
    await stopAll(running);
  }
  // In the order in which they were named, whoever began.
  return contestants.flatMap(({ name }) => samples.filter(({ peer }) => peer === name));
}

async function startAll(
  bench: Bench,
  { settings }: Scenario,
  contestants: readonly Peer[],
): Promise<readonly Contestant[]> {
  const started: Contestant[] = [];
  try {
    for (const peer of contestants) started.push(await peer.start(bench, settings));
    return started;
  } catch (error) {
    await stopAll(started);
    throw error;
  }
}

async function stopAll(running: readonly Contestant[]): Promise<readonly Contestant[]> {
  await Promise.all(running.map((contestant) => contestant.stop()));
  return [];
}

function rotated<T>(list: readonly T[], by: number): readonly T[] {
  const at = by % Math.max(1, list.length);
  return [...list.slice(at), ...list.slice(0, at)];
}

function withCrash(sample: Sample, running: readonly Contestant[]): Sample {
  const crash = running.find(({ name }) => name === sample.peer)?.ended();
  return crash === undefined ? sample : { ...sample, problems: [...sample.problems, crash] };
}

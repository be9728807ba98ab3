import type { Bench } from './bench.ts';
import type { Contestant, Peer } from './peers/peer.ts';
import type { Sample } from './sample.ts';
import type { Form, Scenario } from './scenario.ts';

export interface RunOptions {
  readonly rounds: number;
  readonly form: Form;
}

/** Runs a scenario: rounds interleaved, so that what else the machine does meets all alike. */
export async function runScenario(
  bench: Bench,
  scenario: Scenario,
  contestants: readonly Peer[],
  { rounds, form }: RunOptions,
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  let running: readonly Contestant[] = [];
  try {
    for (let number = 0; number < rounds; number++) {
      if (scenario.freshEachRound) running = await stopAll(running);
      if (running.length === 0) {
        const { started, failed } = await startAll(bench, scenario, contestants);
        running = started;
        for (const [peer, problem] of failed) {
          samples.push({ peer, round: number, values: {}, problems: [problem] });
        }
      }
      const order = rotated(running, number);
      const measured = await scenario.run({ bench, number, form }, order);
      samples.push(...measured.map((sample) => withCrash(sample, running)));
    }
  } catch (error) {
    // What else there is to measure may well go on: the subject's row is void, and the run fails.
    const problems = [`the scenario broke off: ${messageOf(error)}`];
    samples.push({ peer: contestants[0]?.name ?? '', round: rounds, values: {}, problems });
  } finally {
    await stopAll(running);
  }
  // In the order in which they were named, whoever began.
  return contestants.flatMap(({ name }) => samples.filter(({ peer }) => peer === name));
}

/** Starts one after the other; one that does not start takes no part, and the others do. */
async function startAll(
  bench: Bench,
  { settings }: Scenario,
  contestants: readonly Peer[],
): Promise<{
  readonly started: readonly Contestant[];
  readonly failed: readonly (readonly [peer: string, problem: string])[];
}> {
  const started: Contestant[] = [];
  const failed: (readonly [string, string])[] = [];
  for (const peer of contestants) {
    try {
      started.push(await peer.start(bench, settings));
    } catch (error) {
      failed.push([peer.name, `it did not start: ${messageOf(error)}`]);
    }
  }
  return { started, failed };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
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

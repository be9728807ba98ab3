import { mkdir, writeFile } from 'node:fs/promises';
import { arch, availableParallelism, cpus, release, type } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Sample, Scenario } from '../scenario.ts';
import { Summary } from './summary.ts';
import { isMet, opponents } from './table.ts';

/** A scenario and all that was measured of it. */
export interface Outcome {
  readonly scenario: Scenario;
  readonly samples: readonly Sample[];
}

export interface Results {
  readonly startedAt: Date;
  readonly pinned: boolean;
  /** Version by peer. */
  readonly versions: Readonly<Record<string, string>>;
  readonly outcomes: readonly Outcome[];
}

/** Where results go that nobody gave a place. */
export function defaultResultsFile(startedAt: Date): string {
  const folder = fileURLToPath(new URL('../results', import.meta.url));
  return join(folder, `${startedAt.toISOString().replaceAll(':', '-')}.json`);
}

export async function writeResults(file: string, results: Results): Promise<void> {
  const { startedAt, pinned, versions, outcomes } = results;
  const document = {
    startedAt: startedAt.toISOString(),
    machine: { ...machine(), pinned },
    versions,
    scenarios: outcomes.map(describe),
  };
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(document, undefined, 2)}\n`);
}

/** The machine in a line. */
export function machineLine(): string {
  const { cpu, cores, system, node } = machine();
  return `${cores} × ${cpu}, ${system}, Node ${node}`;
}

function machine(): { cpu: string; cores: number; system: string; node: string } {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    system: `${type()} ${release()} ${arch()}`,
    node: process.versions.node,
  };
}

function describe({ scenario, samples }: Outcome): object {
  const summary = new Summary(samples);
  return {
    name: scenario.name,
    title: scenario.title,
    ratios: scenario.compared.flatMap((comparison) =>
      summary.peers.flatMap((peer) =>
        opponents.flatMap((opponent) => {
          const ratio = summary.ratio(peer, opponent, comparison);
          return ratio ? [{ of: comparison.key, peer, opponent, ...ratio }] : [];
        }),
      ),
    ),
    goals: scenario.goals.map((goal) => {
      const value = goal.value(summary);
      return { text: goal.text, value, met: value === undefined ? undefined : isMet(goal, value) };
    }),
    samples,
  };
}

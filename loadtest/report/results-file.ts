import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Sample } from '../sample.ts';
import type { Form, Scenario } from '../scenario.ts';
import type { Machine } from './machine.ts';
import { Summary } from './summary.ts';
import { isMet, opponents } from './table.ts';

/** A scenario and all that was measured of it. */
export interface Outcome {
  readonly scenario: Scenario;
  readonly samples: readonly Sample[];
}

export interface Results {
  readonly startedAt: Date;
  readonly machine: Machine;
  /** Servers and load had a core each. */
  readonly pinned: boolean;
  readonly form: Form;
  readonly handicap: boolean;
  /** Version by peer. */
  readonly versions: Readonly<Record<string, string>>;
  readonly outcomes: readonly Outcome[];
}

/** What is read of a file. */
interface Document extends Omit<Results, 'startedAt' | 'outcomes'> {
  readonly startedAt: string;
  readonly scenarios: readonly { readonly name: string; readonly samples: readonly Sample[] }[];
}

/** The gateway, and the load on the origin itself. */
const ours: readonly string[] = ['millrace', 'millrace-log', 'direct'];

const folder = fileURLToPath(new URL('../results', import.meta.url));

/** Where results go that nobody gave a place. */
export function defaultResultsFile(startedAt: Date): string {
  return join(folder, `${startedAt.toISOString().replaceAll(':', '-')}.json`);
}

/** The newest of those; undefined where there is none. */
export async function lastResultsFile(): Promise<string | undefined> {
  await mkdir(folder, { recursive: true });
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
  const last = names.sort().at(-1);
  return last && join(folder, last);
}

export async function writeResults(file: string, results: Results): Promise<void> {
  const { startedAt, outcomes, ...about } = results;
  const document = {
    startedAt: startedAt.toISOString(),
    ...about,
    scenarios: outcomes.map(describe),
  };
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(document, undefined, 2)}\n`);
}

/** Reads what `writeResults` wrote; throws where a scenario is none of these. */
export async function readResults(file: string, known: readonly Scenario[]): Promise<Results> {
  const document = JSON.parse(await readFile(file, 'utf8')) as Document;
  const { scenarios, startedAt, ...about } = document;
  const outcomes = scenarios.map(({ name, samples }) => {
    const scenario = known.find((candidate) => candidate.name === name);
    if (!scenario) throw new Error(`${file}: there is no scenario ${name} any more`);
    return { scenario, samples };
  });
  return { ...about, startedAt: new Date(startedAt), outcomes };
}

/** Whether anything of ours was wrong but the figures; what a peer does wrong only voids its row. */
export function hasProblems({ outcomes }: Pick<Results, 'outcomes'>): boolean {
  return outcomes.some(({ samples }) =>
    samples.some(({ peer, problems }) => ours.includes(peer) && problems.length > 0),
  );
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

import { readFile, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runCommand } from './command.ts';
import { named } from './options.ts';
import {
  type Baseline,
  type Comparison,
  compare,
  ratiosAmong,
  ratiosOf,
  usualTolerance,
} from './report/baseline.ts';
import { machineLine } from './report/machine.ts';
import { hasProblems, type Results, readResults, writeResults } from './report/results-file.ts';
import { number, renderTable } from './report/table.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios/list.ts';
import { runSuite } from './suite.ts';

const usage = `Usage: npm run loadtest:check -- [options]

Runs the scenarios that the baseline has and fails where a ratio fell by more than 15 % beyond the
run's own spread, or where a byte was wrong.

  --short         a few scenarios for two minutes, as CI does
  --scenarios a,b only these of the form
  --results FILE  compares a run that is over already (npm run loadtest -- --json FILE)
  --json FILE     writes what was measured
  --tolerance N   percent that may be lost instead of 15, where the machine is another one
  --update        writes the baseline instead of comparing with it
  --handicap      the gateway without V8's optimising compilers, to see that slowness is seen
  --install       installs missing peers with apt-get
  --help
`;

const baselineFile = fileURLToPath(new URL('baseline.json', import.meta.url));
const shortScenarios = ['hot-1k', 'hot-64k', 'not-modified', 'ranges', 'misses'];
const shortRounds = 3;
const memoryFolder = '/dev/shm';
/** For all that the short form stores. */
const neededBytes = 4 * 2 ** 30;
/** Whom the baseline's ratios are to. */
const measures: readonly string[] = ['nginx', 'aria2'];

process.exitCode = await runCommand({ usage, read: readArguments, run }, process.argv.slice(2));

/** 0: nothing fell; 1: something did, or a byte was wrong; 2: misuse. */
async function run(options: ReturnType<typeof readArguments>): Promise<number> {
  const { short, results: file, json, update } = options;
  const form = short ? 'short' : 'long';
  const baseline = JSON.parse(await readFile(baselineFile, 'utf8')) as Baseline;
  const results = file === undefined ? await measure(options) : await readResults(file, scenarios);
  if (json !== undefined) await writeResults(json, results);
  if (hasProblems(results)) {
    console.error('FAILED: wrong bytes, requests too many, or a crash; see VOID above');
    return 1;
  }
  if (update) return keep(baseline, form, results);
  const { ratios } = baseline[form] ?? {};
  if (!ratios) {
    console.error(`loadtest/baseline.json has nothing of the ${form} form: make it with --update`);
    return 2;
  }
  const measured = results.outcomes.map(({ scenario }) => scenario.name);
  const wanted = options.scenarios === undefined ? ratios : ratiosAmong(ratios, measured);
  const tolerance = Number(options.tolerance) / 100;
  return report(compare(wanted, ratiosOf(results.outcomes), tolerance));
}

function readArguments(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      short: { type: 'boolean', default: false },
      scenarios: { type: 'string' },
      results: { type: 'string' },
      json: { type: 'string' },
      tolerance: { type: 'string', default: String(100 * usualTolerance) },
      update: { type: 'boolean', default: false },
      handicap: { type: 'boolean', default: false },
      install: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.update && values.scenarios !== undefined) {
    throw new Error('--update and --scenarios exclude each other: a baseline has all of its form');
  }
  if (!/^\d{1,2}$/.test(values.tolerance)) {
    throw new Error(
      `--tolerance is a whole number of percent from 0 to 99, not ${values.tolerance}`,
    );
  }
  if (values.update && values.handicap) {
    throw new Error('--update and --handicap exclude each other: a slowed run is no baseline');
  }
  return values;
}

function isCompared({ compared, peers }: Scenario): boolean {
  return compared.length > 0 && peers.some((name) => measures.includes(name));
}

async function measure({
  short,
  scenarios: only,
  handicap,
  install,
}: ReturnType<typeof readArguments>): Promise<Results> {
  const ofForm = short
    ? scenarios.filter(({ name }) => shortScenarios.includes(name))
    : scenarios.filter(isCompared);
  const wanted = only === undefined ? ofForm : named(only);
  return runSuite({
    scenarios: ofForm.filter((scenario) => wanted.includes(scenario)),
    peers: short ? ['nginx'] : measures,
    rounds: short ? shortRounds : undefined,
    form: short ? 'quick' : 'usual',
    handicap,
    dir: short ? await quickFolder() : tmpdir(),
    profile: undefined,
    npmProject: undefined,
    install,
  });
}

/** Memory where there is enough of it: what a disk does on one machine says nothing of another. */
async function quickFolder(): Promise<string> {
  const free = await statfs(memoryFolder).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  );
  return free > neededBytes ? memoryFolder : tmpdir();
}

async function keep(baseline: Baseline, form: string, results: Results): Promise<number> {
  const taken = {
    takenOn: results.startedAt.toISOString().slice(0, 10),
    machine: machineLine(results.machine),
    ratios: ratiosOf(results.outcomes),
  };
  const text = JSON.stringify(
    { ...baseline, [form]: taken },
    (_, value: unknown) => (typeof value === 'number' ? Number(value.toFixed(3)) : value),
    2,
  );
  await writeFile(baselineFile, `${text}\n`);
  console.log(`Written to ${baselineFile}`);
  return 0;
}

function report(comparisons: readonly Comparison[]): number {
  const rows = comparisons.map(({ name, before, now, loss, verdict }) => [
    name,
    number(before, 2),
    now ? `${number(now.median, 2)} (${number(now.least, 2)}–${number(now.most, 2)})` : '–',
    now ? `${loss > 0 ? '−' : '+'}${number(Math.abs(loss) * 100, 0)} %` : '–',
    verdict === 'fell' ? 'FELL' : verdict,
  ]);
  console.log(renderTable(['ratio', 'baseline', 'now', 'change', ''], rows).join('\n'));
  const bad = comparisons.filter(({ verdict }) => verdict !== 'kept');
  for (const { name, before, now, loss } of bad) {
    console.error(
      now
        ? `FELL: ${name}: ${number(before, 2)} has become ${number(now.median, 2)}, ${number(loss * 100, 0)} % less`
        : `MISSING: ${name}: was not measured (is the peer installed? --install)`,
    );
  }
  return bad.length === 0 ? 0 : 1;
}

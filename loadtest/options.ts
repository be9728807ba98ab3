import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { peers } from './peers/list.ts';
import type { Scenario } from './scenario.ts';
import { scenarios, smokeScenarios } from './scenarios/list.ts';

export const usage = `Usage: npm run loadtest -- [options]

  --scenarios a,b   ${scenarios.map(({ name }) => name).join(', ')}
  --peers a,b       ${Object.keys(peers).join(', ')}; those that are installed take part
  --rounds N        instead of each scenario's own number
  --smoke           short forms that check bytes and counts, for CI
  --full            long forms: memory-downloads reads everything
  --json FILE       instead of a new file in loadtest/results
  --dir FOLDER      where data goes meanwhile, instead of the system's folder for it
  --profile FOLDER  CPU profiles of the gateway, one for each of its starts
  --install         installs missing peers with apt-get
  --help
`;

export interface Options {
  readonly scenarios: readonly Scenario[];
  readonly peers: readonly string[];
  readonly rounds: number | undefined;
  readonly smoke: boolean;
  readonly full: boolean;
  readonly json: string | undefined;
  readonly dir: string;
  readonly profile: string | undefined;
  readonly install: boolean;
  readonly help: boolean;
}

/** Reads the command line; throws an Error that says what is wrong with it. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenarios: { type: 'string' },
      peers: { type: 'string' },
      rounds: { type: 'string' },
      json: { type: 'string' },
      dir: { type: 'string' },
      profile: { type: 'string' },
      smoke: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      install: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { smoke, full, install, help, json, profile, dir } = values;
  if (smoke && full) throw new Error('--smoke and --full exclude each other');
  return {
    scenarios: values.scenarios === undefined ? allOf(smoke) : named(values.scenarios),
    peers: peerNames(values.peers ?? (smoke ? 'direct' : Object.keys(peers).join(','))),
    rounds: values.rounds === undefined ? undefined : roundsOf(values.rounds),
    smoke,
    full,
    json: json && resolve(json),
    dir: resolve(dir ?? tmpdir()),
    profile: profile && resolve(profile),
    install,
    help,
  };
}

function allOf(smoke: boolean): readonly Scenario[] {
  return smoke ? smokeScenarios : scenarios;
}

function named(list: string): readonly Scenario[] {
  return split(list).map((name) => {
    const scenario = scenarios.find((candidate) => candidate.name === name);
    if (scenario) return scenario;
    const known = scenarios.map((candidate) => candidate.name).join(', ');
    throw new Error(`--scenarios: there is no ${name}; there are ${known}`);
  });
}

function peerNames(list: string): readonly string[] {
  const names = split(list);
  const unknown = names.find((name) => !Object.hasOwn(peers, name));
  if (unknown === undefined) return names;
  throw new Error(
    `--peers: there is no ${unknown}; there are ${Object.keys(peers).join(', ')}, and millrace always takes part`,
  );
}

function roundsOf(text: string): number {
  const rounds = Number(text);
  if (Number.isSafeInteger(rounds) && rounds > 0) return rounds;
  throw new Error(`--rounds: ${text} is not a whole number above 0`);
}

function split(list: string): string[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
}

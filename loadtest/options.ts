import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { peers } from './peers/list.ts';
import type { Form, Scenario } from './scenario.ts';
import { scenarios, smokeScenarios } from './scenarios/list.ts';
import type { SuiteOptions } from './suite.ts';

export const usage = `Usage: npm run loadtest -- [options]

  --scenarios a,b   ${scenarios.map(({ name }) => name).join(', ')}
  --peers a,b       ${Object.keys(peers).join(', ')}; those that are installed take part
  --rounds N        instead of each scenario's own number
  --smoke           short forms that check bytes and counts, for CI
  --quick           half as long and one round, for a look
  --full            long forms: memory-downloads reads everything
  --json FILE       instead of a new file in loadtest/results
  --markdown        runs nothing: the last results (or those of --json) as Markdown
  --dir FOLDER      where data goes meanwhile, instead of the system's folder for it
  --profile FOLDER  CPU profiles of the gateway, one for each of its starts
  --npm-project DIR for scenarios about npm: the project there (package.json, package-lock.json) from
                    the registry that npm is configured for, in place of generated packages
  --handicap        the gateway without V8's optimising compilers, to see that slowness is seen
  --install         installs missing peers with apt-get, Verdaccio with npm
  --help
`;

export interface Options extends SuiteOptions {
  readonly json: string | undefined;
  readonly markdown: boolean;
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
      'npm-project': { type: 'string' },
      markdown: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      handicap: { type: 'boolean', default: false },
      install: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { install, help, markdown, handicap, json, profile, dir } = values;
  const form = formOf(values);
  const all = form === 'smoke' ? smokeScenarios : scenarios;
  return {
    scenarios: values.scenarios === undefined ? all : named(values.scenarios),
    peers: peerNames(values.peers ?? (form === 'smoke' ? 'direct' : Object.keys(peers).join(','))),
    rounds: values.rounds === undefined ? roundsByForm[form] : roundsOf(values.rounds),
    form,
    handicap,
    json: json && resolve(json),
    markdown,
    dir: resolve(dir ?? tmpdir()),
    profile: profile && resolve(profile),
    npmProject: values['npm-project'] && resolve(values['npm-project']),
    install,
    help,
  };
}

/** Rounds where a form has its own number. */
const roundsByForm: Readonly<Record<Form, number | undefined>> = {
  smoke: 1,
  quick: 1,
  usual: undefined,
  full: undefined,
};

function formOf(flags: {
  readonly smoke: boolean;
  readonly quick: boolean;
  readonly full: boolean;
}): Form {
  const chosen = (['smoke', 'quick', 'full'] as const).filter((form) => flags[form]);
  const [form = 'usual', ...others] = chosen;
  if (others.length === 0) return form;
  throw new Error(`${chosen.map((name) => `--${name}`).join(' and ')} exclude each other`);
}

/** The scenarios of a comma-separated list; throws for one that is not there. */
export function named(list: string): readonly Scenario[] {
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

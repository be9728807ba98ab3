import process from 'node:process';
import { Bench } from './bench.ts';
import { installMissing } from './install.ts';
import { peers, subject } from './peers/list.ts';
import type { Peer } from './peers/peer.ts';
import { machineLine, thisMachine } from './report/machine.ts';
import type { Outcome, Results } from './report/results-file.ts';
import { Summary } from './report/summary.ts';
import { renderScenario } from './report/table.ts';
import { runScenario } from './runner.ts';
import type { Form, Scenario } from './scenario.ts';

export interface SuiteOptions {
  readonly scenarios: readonly Scenario[];
  /** As `--peers` names them. */
  readonly peers: readonly string[];
  /** Undefined: each scenario's own number. */
  readonly rounds: number | undefined;
  readonly form: Form;
  /** The gateway runs without V8's optimising compilers. */
  readonly handicap: boolean;
  /** Where data goes meanwhile. */
  readonly dir: string;
  /** Folder for CPU profiles of the gateway. */
  readonly profile: string | undefined;
  /** A folder with a project whose packages the configured registry has, for scenarios about npm. */
  readonly npmProject: string | undefined;
  /** Missing peers are installed first. */
  readonly install: boolean;
}

/**
 * Runs scenarios and prints the table of each as soon as it is there; `each` gets all until then, so
 * that a run that is broken off leaves what it has.
 */
export async function runSuite(
  options: SuiteOptions,
  each?: (results: Results) => Promise<void>,
): Promise<Results> {
  const wanted = options.peers.flatMap((name) => peers[name] ?? []);
  if (options.install) installMissing(wanted);
  const installed = wanted.filter(isInstalled);
  const startedAt = new Date();
  const bench = await Bench.open(options);
  // The servers are of our process group and get the signal themselves; the folder is ours to remove.
  const interrupted = (): void => {
    bench.close().finally(() => process.exit(130));
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  const outcomes: Outcome[] = [];
  const pinned = bench.cores.server !== undefined;
  const machine = thisMachine();
  console.log(`${machineLine(machine)}${pinned ? '' : ', NOT PINNED to cores'}\n`);
  const { form, handicap } = options;
  const versions = Object.fromEntries(
    [subject, ...installed].map((peer) => [peer.name, peer.version() ?? '']),
  );
  const resultsOf = (measured: readonly Outcome[]): Results => ({
    startedAt,
    machine,
    pinned,
    form,
    handicap,
    versions,
    outcomes: measured,
  });
  try {
    for (const scenario of options.scenarios) {
      const taking = installed.filter((peer) => takesPart(peer, scenario));
      const rounds = scenario.once ? 1 : (options.rounds ?? scenario.rounds);
      const samples = await runScenario(bench, scenario, [subject, ...taking], { rounds, form });
      outcomes.push({ scenario, samples });
      console.log(renderScenario(scenario, new Summary(samples), form === 'smoke'));
      await each?.(resultsOf(outcomes));
    }
  } finally {
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', interrupted);
    await bench.close();
  }
  return resultsOf(outcomes);
}

function takesPart({ name }: Peer, scenario: Scenario): boolean {
  return scenario.peers.some((group) => peers[group]?.some((peer) => peer.name === name));
}

function isInstalled(peer: Peer): boolean {
  const there = peer.version() !== undefined;
  if (!there) console.error(`${peer.name} is not installed and does not take part (--install)`);
  return there;
}

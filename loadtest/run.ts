import process from 'node:process';
import { Bench } from './bench.ts';
import { installMissing } from './install.ts';
import { type Options, readOptions, usage } from './options.ts';
import { peers, subject } from './peers/list.ts';
import type { Peer } from './peers/peer.ts';
import {
  defaultResultsFile,
  machineLine,
  type Outcome,
  writeResults,
} from './report/results-file.ts';
import { Summary } from './report/summary.ts';
import { renderScenario } from './report/table.ts';
import { runScenario } from './runner.ts';

process.exitCode = await main(process.argv.slice(2));

/** 0: all bytes and counts were right, whatever the figures; 1: they were not; 2: misuse. */
async function main(args: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = readOptions(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    return 2;
  }
  if (options.help) {
    console.log(usage);
    return 0;
  }
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
  const outcomes: Outcome[] = [];
  const pinned = bench.cores.server !== undefined;
  console.log(`${machineLine()}${pinned ? '' : ', NOT PINNED to cores'}\n`);
  try {
    for (const scenario of options.scenarios) {
      const taking = installed.filter(({ name }) =>
        scenario.peers.some((peer) => peers[peer]?.some((candidate) => candidate.name === name)),
      );
      const rounds = options.rounds ?? (options.smoke ? 1 : scenario.rounds);
      const { smoke, full } = options;
      const samples = await runScenario(bench, scenario, [subject, ...taking], {
        rounds,
        smoke,
        full,
      });
      outcomes.push({ scenario, samples });
      console.log(renderScenario(scenario, new Summary(samples), options.smoke));
    }
  } finally {
    process.off('SIGINT', interrupted);
    await bench.close();
  }
  const versions = Object.fromEntries(
    [subject, ...installed].map((peer) => [peer.name, peer.version() ?? '']),
  );
  const file = options.json ?? defaultResultsFile(startedAt);
  await writeResults(file, { startedAt, pinned, versions, outcomes });
  console.log(`Written to ${file}`);
  const failed = outcomes.some(({ samples }) =>
    samples.some(({ problems }) => problems.length > 0),
  );
  if (failed) console.error('FAILED: wrong bytes, requests too many, or a crash; see VOID above');
  return failed ? 1 : 0;
}

function isInstalled(peer: Peer): boolean {
  const there = peer.version() !== undefined;
  if (!there) console.error(`${peer.name} is not installed and does not take part (--install)`);
  return there;
}

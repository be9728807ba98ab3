import process from 'node:process';
import { runCommand } from './command.ts';
import { type Options, readOptions, usage } from './options.ts';
import { renderRun } from './report/markdown.ts';
import {
  defaultResultsFile,
  hasProblems,
  lastResultsFile,
  readResults,
  writeResults,
} from './report/results-file.ts';
import { scenarios } from './scenarios/list.ts';
import { runSuite } from './suite.ts';

process.exitCode = await runCommand({ usage, read: readOptions, run }, process.argv.slice(2));

/** 0: all bytes and counts were right, whatever the figures; 1: they were not; 2: misuse. */
async function run(options: Options): Promise<number> {
  if (options.markdown) return printMarkdown(options);
  const file = options.json ?? defaultResultsFile(new Date());
  const results = await runSuite(options, (until) => writeResults(file, until));
  console.log(`Written to ${file}`);
  if (!hasProblems(results)) return 0;
  console.error('FAILED: wrong bytes, requests too many, or a crash; see VOID above');
  return 1;
}

async function printMarkdown({ json }: Options): Promise<number> {
  const file = json ?? (await lastResultsFile());
  if (file === undefined) {
    console.error('There are no results yet: run npm run loadtest first, or name a file by --json');
    return 2;
  }
  console.log(renderRun(await readResults(file, scenarios)));
  return 0;
}

import { cpus } from 'node:os';
import process from 'node:process';
import { Bench } from 'tinybench';
import type { MicroCase } from './case.ts';
import { hotHitCases } from './hot-hit.ts';
import { indexDocuments } from './index-rewrite.ts';
import { keyCases } from './keys.ts';
import { npmDocument } from './npm-rewrite.ts';
import { policyCases } from './policy-parts.ts';
import { pypiDocuments } from './pypi-rewrite.ts';
import { rangeCases } from './range-algebra.ts';
import { type DocumentCase, measureRewriting, type RewritingRow } from './rewriting.ts';

const usage = 'Usage: npm run bench:micro [-- part-of-a-name]';
const cases: readonly MicroCase[] = [...hotHitCases, ...policyCases, ...keyCases, ...rangeCases];
const documents: readonly DocumentCase[] = [npmDocument, ...pypiDocuments, ...indexDocuments].map(
  (each) => ({ ...each, name: `rewriting: ${each.name}` }),
);

process.exitCode = await main(process.argv.slice(2));

/** 0: every figure is within its budget, 1: one is not, 2: misuse. */
async function main([wanted = '', ...rest]: readonly string[]): Promise<number> {
  const chosen = cases.filter(({ name }) => name.includes(wanted));
  const rewritten = documents.filter(({ name }) => name.includes(wanted));
  if (rest.length > 0 || chosen.length + rewritten.length === 0) {
    const names = [...cases, ...documents].map(({ name }) => name);
    console.error(`${usage}\n\n${names.join('\n')}`);
    return 2;
  }
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}\n`);
  const rows = chosen.length > 0 ? await measure(chosen) : [];
  const figures: RewritingRow[] = [];
  for (const each of rewritten) figures.push(await measureRewriting(each));
  for (const table of [rows, figures]) {
    if (table.length === 0) continue;
    console.table(Object.fromEntries(table.map(({ name, ...row }) => [name, row])));
  }
  return [...rows, ...figures].some(({ within }) => within === 'NO') ? 1 : 0;
}

async function measure(chosen: readonly MicroCase[]): Promise<ReturnType<typeof rowOf>[]> {
  const bench = new Bench({ time: 1_000, warmupTime: 500 });
  const results: unknown[] = [];
  for (const micro of chosen)
    bench.add(micro.name, () => void results.splice(0, 1, micro.run(micro.times)));
  await bench.run();
  return chosen.map((micro) => rowOf(micro, nanosecondsOf(bench, micro)));
}

/** Of one time: the median of the samples, and one that 99 of 100 are below. */
function nanosecondsOf(bench: Bench, { name, times }: MicroCase): { p50: number; p99: number } {
  const result = bench.getTask(name)?.result;
  if (result?.state !== 'completed') throw new Error(`${name} did not complete`);
  const { p50, p99 } = result.latency;
  return { p50: (p50 * 1e6) / times, p99: (p99 * 1e6) / times };
}

function rowOf({ name, bytes, budget }: MicroCase, { p50, p99 }: { p50: number; p99: number }) {
  const speed = bytes === undefined ? '' : `${Math.round((bytes / p50) * 1e3)} MB/s`;
  const within = budget === undefined ? '' : p50 < budget ? 'yes' : 'NO';
  return {
    name,
    median: duration(p50),
    p99: duration(p99),
    speed,
    budget: budget === undefined ? '' : duration(budget),
    within,
  };
}

function duration(nanoseconds: number): string {
  if (nanoseconds < 1_000) return `${Math.round(nanoseconds)} ns`;
  return nanoseconds < 1e6
    ? `${(nanoseconds / 1e3).toFixed(2)} µs`
    : `${(nanoseconds / 1e6).toFixed(2)} ms`;
}

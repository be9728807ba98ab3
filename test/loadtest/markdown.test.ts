import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { renderRun } from '../../loadtest/report/markdown.ts';
import {
  hasProblems,
  type Results,
  readResults,
  writeResults,
} from '../../loadtest/report/results-file.ts';
import type { Sample } from '../../loadtest/sample.ts';
import type { Scenario } from '../../loadtest/scenario.ts';

const hot: Scenario = {
  name: 'hot',
  title: 'hits of something',
  rounds: 2,
  peers: ['nginx'],
  settings: { memory: '1MiB', disk: '1MiB', directOn: 'load' },
  columns: [{ key: 'rate', label: 'requests/s', decimals: 0 }],
  compared: [
    { key: 'rate', better: 'more' },
    { key: 'cpu', better: 'less', label: 'by CPU' },
  ],
  goals: [
    {
      text: 'ratio at least 1',
      value: (summary) =>
        summary.ratio('millrace', 'nginx', { key: 'rate', better: 'more' })?.median,
      decimals: 2,
      atLeast: 1,
    },
    { text: 'something else', value: () => undefined, decimals: 0, atMost: 1 },
  ],
  run: async () => [],
};

function sample(peer: string, round: number, rate: number, problems: string[] = []): Sample {
  return { peer, round, values: { rate, cpu: 1e6 / rate }, problems };
}

function results(samples: readonly Sample[]): Results {
  return {
    startedAt: new Date('2026-01-02T03:04:05Z'),
    machine: { cpu: 'Some CPU', cores: 2, system: 'Linux', node: '26.0.0' },
    pinned: true,
    form: 'usual',
    handicap: false,
    versions: { millrace: '1.0.0', nginx: 'nginx/1' },
    outcomes: [{ scenario: hot, samples }],
  };
}

const samples = [
  sample('millrace', 0, 12_000),
  sample('nginx', 0, 10_000),
  sample('millrace', 1, 11_000),
  sample('nginx', 1, 10_000),
];

test('a run is a row for each goal, the ratios in the first, and a table a scenario', () => {
  const lines = renderRun(results(samples)).split('\n');
  expect(lines[0]).toBe(
    '2 × Some CPU, Linux, Node 26.0.0; 2026-01-02. millrace 1.0.0, nginx nginx/1.',
  );
  const rows = lines.filter((line) => line.startsWith('|')).map((line) => line.replace(/ +/g, ' '));
  expect(rows.slice(2, 4)).toEqual([
    '| hits of something | 1.15 (1.10–1.20) | 1.15 (1.10–1.20) | ratio at least 1 | 1.15 | met |',
    '| | | | something else | | not measured |',
  ]);
  expect(rows.some((row) => row.startsWith('| millrace | 11 500 (11 000–12 000) |'))).toBe(true);
});

test('a void sample of ours voids the row, and fails the run; a peer’s does not', () => {
  const bad = results([sample('millrace', 0, 1, ['wrong bytes']), ...samples.slice(1)]);
  expect(renderRun(bad)).toMatch(/hits of something .* VOID/);
  expect(hasProblems(bad)).toBe(true);
  const theirs = results([...samples.slice(0, 3), sample('nginx', 1, 1, ['it did not start'])]);
  expect(hasProblems(theirs)).toBe(false);
  expect(renderRun(theirs)).toContain('VOID: nginx, round 2: it did not start');
});

test('what was written is read again, and says so where a scenario is gone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-results-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'below', 'results.json');
  const run = results(samples);
  await writeResults(file, run);
  expect(await readResults(file, [hot])).toEqual(run);
  await expect(readResults(file, [])).rejects.toThrow(/no scenario hot any more/);
});

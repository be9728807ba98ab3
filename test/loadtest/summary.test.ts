import { expect, test } from 'vitest';
import { readOptions } from '../../loadtest/options.ts';
import { Summary } from '../../loadtest/report/summary.ts';
import type { Sample } from '../../loadtest/sample.ts';

const byRate = { key: 'rate', better: 'more' } as const;
const byTime = { key: 'ms', better: 'less' } as const;

function sample(
  peer: string,
  round: number,
  values: Record<string, number>,
  problems: string[] = [],
): Sample {
  return { peer, round, values, problems };
}

test('the ratio is made within a round, to the better nginx, over 1 for better', () => {
  const summary = new Summary([
    sample('millrace', 0, { rate: 10, ms: 2 }),
    sample('nginx', 0, { rate: 20, ms: 4 }),
    sample('nginx-copy', 0, { rate: 5, ms: 1 }),
    sample('millrace', 1, { rate: 300, ms: 2 }),
    sample('nginx', 1, { rate: 100, ms: 4 }),
    sample('nginx-copy', 1, { rate: 200, ms: 8 }),
  ]);
  expect(summary.ratio('millrace', 'nginx', byRate)).toEqual({ median: 1, least: 0.5, most: 1.5 });
  expect(summary.ratio('millrace', 'nginx', byTime)).toEqual({ median: 1.25, least: 0.5, most: 2 });
  expect(summary.ratio('millrace', 'direct', byRate)).toBeUndefined();
});

test('a void sample counts for nothing', () => {
  const summary = new Summary([
    sample('millrace', 0, { rate: 1000 }, ['wrong bytes']),
    sample('millrace', 1, { rate: 10 }),
    sample('millrace', 2, { rate: 20 }),
  ]);
  expect(summary.figure('millrace', 'rate')).toEqual({ median: 15, least: 10, most: 20 });
});

test('options that make no sense are refused, with what would', () => {
  expect(() => readOptions(['--scenarios', 'herd,nope'])).toThrow(/no nope; there are memory-idle/);
  expect(() => readOptions(['--peers', 'apache'])).toThrow(
    /no apache; there are millrace-log, direct, aria2, nginx, varnish/,
  );
  expect(() => readOptions(['--rounds', '0'])).toThrow(/not a whole number above 0/);
  expect(() => readOptions(['--smoke', '--full'])).toThrow(/--smoke and --full exclude each other/);
  expect(() => readOptions(['--quick', '--full'])).toThrow(/--quick and --full exclude each other/);
  expect(() => readOptions(['--fast'])).toThrow(/--fast/);
});

test('a form has its own number of rounds unless one is given', () => {
  expect(readOptions([])).toMatchObject({ form: 'usual', rounds: undefined, handicap: false });
  expect(readOptions(['--quick'])).toMatchObject({ form: 'quick', rounds: 1 });
  expect(readOptions(['--smoke'])).toMatchObject({ form: 'smoke', rounds: 1, peers: ['direct'] });
  expect(readOptions(['--quick', '--rounds', '4', '--handicap'])).toMatchObject({
    rounds: 4,
    handicap: true,
  });
});

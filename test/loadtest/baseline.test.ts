import { expect, test } from 'vitest';
import { compare, type Ratios, ratiosAmong, ratiosOf } from '../../loadtest/report/baseline.ts';
import type { Sample } from '../../loadtest/sample.ts';
import type { Scenario } from '../../loadtest/scenario.ts';

function ratios(median: number, least = median, most = median): Ratios {
  return { 'hot: rate, nginx': { median, least, most } };
}

function verdicts(before: Ratios, now: Ratios): readonly string[] {
  return compare(before, now).map(({ verdict }) => verdict);
}

test('a ratio that fell by more than 15 % is told, with by how much', () => {
  expect(compare(ratios(1), ratios(0.8))).toEqual([
    {
      name: 'hot: rate, nginx',
      before: 1,
      now: { median: 0.8, least: 0.8, most: 0.8 },
      loss: expect.closeTo(0.2),
      verdict: 'fell',
    },
  ]);
  expect(verdicts(ratios(1), ratios(0.86))).toEqual(['kept']);
  expect(verdicts(ratios(1), ratios(1.4))).toEqual(['kept']);
});

test('what the rounds of the run differ by among themselves is no fall', () => {
  expect(verdicts(ratios(1), ratios(0.8, 0.7, 0.9))).toEqual(['kept']);
  expect(verdicts(ratios(1), ratios(0.8, 0.7, 0.84))).toEqual(['fell']);
});

test('what the baseline spread by before excuses nothing now', () => {
  expect(verdicts(ratios(1, 0.5, 1.5), ratios(0.8))).toEqual(['fell']);
});

test('a ratio that was not measured is told; one that is new is nothing to compare', () => {
  expect(verdicts(ratios(1), {})).toEqual(['missing']);
  expect(verdicts({}, ratios(1))).toEqual([]);
});

test('ratios are to the better nginx, by what a scenario compares, void samples left out', () => {
  const scenario: Scenario = {
    name: 'hot',
    title: '',
    rounds: 1,
    peers: ['nginx'],
    settings: { memory: '1MiB', disk: '1MiB', directOn: 'load' },
    columns: [],
    compared: [{ key: 'ms', better: 'less' }],
    goals: [],
    run: async () => [],
  };
  const sample = (peer: string, round: number, ms: number, problems: string[] = []): Sample => ({
    peer,
    round,
    values: { ms },
    problems,
  });
  const samples = [
    sample('millrace', 0, 2),
    sample('nginx', 0, 1),
    sample('nginx-copy', 0, 4),
    sample('millrace', 1, 1, ['wrong bytes']),
    sample('nginx', 1, 100),
  ];
  expect(ratiosOf([{ scenario, samples }])).toEqual({
    'hot: ms, nginx': { median: 0.5, least: 0.5, most: 0.5 },
  });
});

test('ratios of some scenarios are those by their whole names', () => {
  const figure = { median: 1, least: 1, most: 1 };
  const all = {
    'hot: rate, nginx': figure,
    'hot-1k: rate, nginx': figure,
    'herd: s, nginx': figure,
  };
  expect(Object.keys(ratiosAmong(all, ['hot', 'herd']))).toEqual([
    'hot: rate, nginx',
    'herd: s, nginx',
  ]);
});

test('what may be lost can be said', () => {
  const before = ratios(1);
  expect(compare(before, ratios(0.7), 0.4).map(({ verdict }) => verdict)).toEqual(['kept']);
  expect(compare(before, ratios(0.5), 0.4).map(({ verdict }) => verdict)).toEqual(['fell']);
});

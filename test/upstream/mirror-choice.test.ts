import { describe, expect, it } from 'vitest';
import { type Option, rankMirrors } from '../../src/upstream/mirror-choice.ts';
import type { Estimate } from '../../src/upstream/mirror-record.ts';

interface Named extends Option {
  readonly name: string;
}

function option(
  name: string,
  ms: number | undefined,
  more: Partial<Option & Estimate> = {},
): Named {
  const { weight = 5, failureRate = 0, ...rest } = more;
  const estimate =
    ms === undefined
      ? undefined
      : { connectMs: 0, firstByteMs: ms, transferMs: 0, failureRate, weight };
  const free = {
    state: 'closed',
    pausedUntil: 0,
    active: 0,
    queued: 0,
    concurrency: 8,
    distance: 0,
  };
  return { name, ...(free as Option), ...rest, estimate };
}

function order(options: readonly Named[], explore = false, spread = false): [string, string] {
  const { order: ranked, reason } = rankMirrors(options, { explore, spread });
  return [ranked.map(({ option: { name } }) => name).join(''), reason];
}

describe('the choice', () => {
  it('is the lowest expected time', () => {
    expect(order([option('a', 50), option('b', 20), option('c', 30)])).toEqual(['bca', 'fastest']);
  });

  it('counts fast failures as failures, not as speed', () => {
    const failing = option('a', 1, { failureRate: 0.5 });
    expect(order([failing, option('b', 100)])).toEqual(['ba', 'fastest']);
  });

  it('counts the time in the queue where all places are taken', () => {
    const busy = option('a', 50, { active: 8, queued: 80 });
    expect(order([busy, option('b', 100)])).toEqual(['ba', 'fastest']);
    expect(order([option('a', 50, { active: 7 }), option('b', 100)])[0]).toBe('ab');
  });

  it('spreads the parts of an object over all that have a free place', () => {
    const full = option('a', 50, { active: 8 });
    expect(order([full, option('b', 400)])[0]).toBe('ab');
    expect(order([full, option('b', 400), option('c', 800)], false, true)[0]).toBe('bca');
  });

  it('lets no part of an object wait to learn of a mirror', () => {
    const options = [option('a', 50), option('b', 10, { weight: 0.1, active: 8 })];
    const unknown = option('c', undefined);
    expect(order([...options, unknown], true, true)).toEqual(['cab', 'exploration']);
    expect(order(options, true, true)).toEqual(['ab', 'fastest']);
    const half = option('d', 10, { state: 'half-open', active: 8 });
    expect(order([option('a', 50), half], true, true)).toEqual(['ad', 'fastest']);
    expect(order([option('a', 50), half], true)).toEqual(['da', 'trial']);
  });

  it('asks those that pause last, the first to end its pause before the others', () => {
    const pausing = (name: string, pausedUntil: number) =>
      option(name, 1, { state: 'open', pausedUntil });
    expect(order([pausing('a', 9), pausing('b', 5), option('c', 900)])).toEqual(['cba', 'fastest']);
    expect(order([pausing('a', 9), pausing('b', 5)])).toEqual(['ba', 'last resort']);
  });

  it('tries one whose pause is over, where trying is allowed or nothing else works', () => {
    const over = option('a', 900, { state: 'half-open' });
    expect(order([option('b', 20), over], true)).toEqual(['ab', 'trial']);
    expect(order([option('b', 20), over])).toEqual(['ba', 'fastest']);
    expect(order([over, option('c', 1, { state: 'open' })])).toEqual(['ac', 'trial']);
  });

  it('begins with the nearest, then as configured, while nothing is known', () => {
    expect(order([option('a', undefined), option('b', undefined)])).toEqual(['ab', 'unknown']);
    const far = option('a', undefined, { distance: 2 });
    expect(order([far, option('b', undefined)], true)).toEqual(['ba', 'unknown']);
  });

  it('explores what is unknown, or known so little that it might be better', () => {
    expect(order([option('a', 20), option('b', undefined)], true)).toEqual(['ba', 'exploration']);
    expect(order([option('a', 20), option('b', undefined)])).toEqual(['ab', 'fastest']);
    const faded = option('b', 100, { weight: 0.1 });
    expect(order([option('a', 20), faded], true)).toEqual(['ba', 'exploration']);
    const wellKnown = option('b', 100);
    expect(order([option('a', 20), wellKnown], true)).toEqual(['ab', 'fastest']);
  });
});

import { describe, expect, it } from 'vitest';
import { hedged } from '../../src/upstream/hedge.ts';
import { FakeClock } from '../support/clock.ts';

interface Attempt {
  readonly resolve: (outcome: string) => void;
  readonly signal: AbortSignal;
}

function race(options: { budget?: boolean; signal?: AbortSignal } = {}) {
  const clock = new FakeClock();
  const attempts: Attempt[] = [];
  const dropped: string[] = [];
  const begin = (signal: AbortSignal): Promise<string> =>
    new Promise((resolve) => attempts.push({ resolve, signal }));
  const result = hedged<string>({
    first: begin,
    second: (signal) => (options.budget === false ? undefined : begin(signal)),
    lateMs: 50,
    good: (outcome) => outcome.startsWith('good'),
    drop: (outcome) => dropped.push(outcome),
    after: clock.after,
    signal: options.signal,
  });
  return { clock, attempts, dropped, result };
}

describe('a race', () => {
  it('does not begin when the first answers in time', async () => {
    const { clock, attempts, result } = race();
    clock.advance(49);
    attempts[0]?.resolve('good 1');
    expect(await result).toEqual({ outcomes: ['good 1'], overtaken: false });
    clock.advance(1_000);
    expect(attempts).toHaveLength(1);
  });

  it('is won by the second: the first is aborted, and dropped if it comes after all', async () => {
    const { clock, attempts, dropped, result } = race();
    clock.advance(50);
    attempts[1]?.resolve('good 2');
    expect(await result).toEqual({ outcomes: ['good 2'], overtaken: true });
    expect(attempts.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    attempts[0]?.resolve('good 1');
    await new Promise(setImmediate);
    expect(dropped).toEqual(['good 1']);
  });

  it('is won by the first, late as it is', async () => {
    const { clock, attempts, result } = race();
    clock.advance(50);
    attempts[0]?.resolve('good 1');
    expect(await result).toEqual({ outcomes: ['good 1'], overtaken: false });
    expect(attempts[1]?.signal.aborted).toBe(true);
  });

  it('goes on when one of the two fails, and ends with both when both do', async () => {
    const { clock, attempts, result } = race();
    clock.advance(50);
    attempts[1]?.resolve('bad 2');
    await new Promise(setImmediate);
    attempts[0]?.resolve('good 1');
    expect(await result).toEqual({ outcomes: ['bad 2', 'good 1'], overtaken: false });
    const lost = race();
    lost.clock.advance(50);
    for (const [at, attempt] of lost.attempts.entries()) attempt.resolve(`bad ${at}`);
    expect(await lost.result).toEqual({ outcomes: ['bad 0', 'bad 1'], overtaken: false });
  });

  it('has one runner where there is no budget, or where the first fails early', async () => {
    const poor = race({ budget: false });
    poor.clock.advance(50);
    expect(poor.attempts).toHaveLength(1);
    poor.attempts[0]?.resolve('bad 1');
    expect(await poor.result).toEqual({ outcomes: ['bad 1'], overtaken: false });
    const early = race();
    early.attempts[0]?.resolve('bad 1');
    expect(await early.result).toEqual({ outcomes: ['bad 1'], overtaken: false });
    early.clock.advance(50);
    expect(early.attempts).toHaveLength(1);
  });

  it('ends for both when the client leaves', () => {
    const client = new AbortController();
    const { clock, attempts } = race({ signal: client.signal });
    clock.advance(50);
    client.abort();
    expect(attempts.map(({ signal }) => signal.aborted)).toEqual([true, true]);
  });
});

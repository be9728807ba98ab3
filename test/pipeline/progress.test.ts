import { expect, test } from 'vitest';
import { Progress } from '../../src/pipeline/progress.ts';

/** Which of so many waiters were woken when the code under way is done, and a turn later. */
async function woken(count: number): Promise<{ within: number; soon: number; later: number }> {
  const progress = new Progress();
  let awake = 0;
  const waits = Array.from({ length: count }, async () => {
    await progress.wait();
    awake += 1;
  });
  progress.soon();
  progress.soon();
  const within = awake;
  await Promise.resolve();
  await Promise.resolve();
  const soon = awake;
  await Promise.all(waits);
  return { within, soon, later: awake };
}

test('a few readers are woken at once, never from within the call', async () => {
  expect(await woken(1)).toEqual({ within: 0, soon: 1, later: 1 });
  expect(await woken(4)).toEqual({ within: 0, soon: 4, later: 4 });
});

test('many readers are woken together when the turn is over', async () => {
  expect(await woken(5)).toEqual({ within: 0, soon: 0, later: 5 });
});

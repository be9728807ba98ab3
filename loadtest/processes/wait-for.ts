import { setTimeout as delay } from 'node:timers/promises';
import { monotonicMs } from './monotonic.ts';

const patienceMs = 20_000;
const intervalMs = 20;

/** Asks until there is an answer; throws when there is none after a while. */
export async function waitFor<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = monotonicMs() + patienceMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (monotonicMs() > deadline) throw new Error(`waited in vain for ${what}`);
    await delay(intervalMs);
  }
}

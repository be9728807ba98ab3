import { setTimeout as delay } from 'node:timers/promises';
import { usageOf } from './usage.ts';

const sampleMs = 50;

/** The most resident memory of a process, in bytes, until the promise is settled. */
export async function peakWhile(end: Promise<unknown>, pid: number): Promise<number> {
  let over = false;
  const finish = (): void => {
    over = true;
  };
  end.then(finish, finish);
  let peak = 0;
  while (!over) {
    peak = Math.max(peak, (await usageOf(pid)).rss);
    await delay(sampleMs);
  }
  return peak;
}

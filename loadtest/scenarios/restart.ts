import { bodyPath } from '../fixtures/generated-body.ts';
import { eachAlone, upstreamRequests, verified } from '../measured.ts';
import { multiplyRecords } from '../peers/millrace-data.ts';
import { monotonicMs } from '../processes/monotonic.ts';
import { usageOf } from '../processes/usage.ts';
import type { Scenario } from '../scenario.ts';

const mebibyte = 1024 * 1024;
const records = 1_000_000;
const smokeRecords = 10_000;

/** How soon a gateway with much on its disk serves again. */
export const restart: Scenario = {
  name: 'restart',
  title: 'a restart with a million records on disk',
  rounds: 3,
  peers: [],
  settings: { memory: '256MiB', disk: '16GiB', directOn: 'load' },
  columns: [
    { key: 'ready', label: 'ready ms', decimals: 0 },
    { key: 'firstHit', label: 'first hit ms', decimals: 1 },
    { key: 'secondHit', label: 'second hit ms', decimals: 1 },
    { key: 'rss', label: 'RSS MiB', decimals: 1 },
  ],
  compared: [],
  goals: [
    {
      text: 'ready in under a second',
      value: (summary) => summary.most('millrace', 'ready'),
      decimals: 0,
      atMost: 1_000,
    },
  ],
  run: (round, contestants) =>
    eachAlone(round, contestants, async (contestant) => {
      const { bench, number, form } = round;
      const { restart: again } = contestant;
      if (!again) throw new Error(`${contestant.name} cannot be started again on its data`);
      const count = form === 'smoke' ? smokeRecords : records;
      const path = bodyPath(`restart-${bench.id}`, 4 * 1024);
      const copy = (index: number): string => `${path}?copy=${index}`;
      const problems: string[] = [];
      if (number === 0) {
        problems.push(...(await verified(round, contestant, path)));
        await again((data) => multiplyRecords(data, count));
      }
      await upstreamRequests(round, [path]);
      const ready = await again();
      const wanted = [copy(Math.floor(count / 3) + number), copy(Math.floor(count / 2) + number)];
      const times: number[] = [];
      for (const one of wanted) {
        const startedAt = monotonicMs();
        problems.push(...(await verified(round, contestant, one)));
        times.push(monotonicMs() - startedAt);
      }
      const fetches = await upstreamRequests(round, wanted);
      if (fetches !== 0) problems.push(`${fetches} upstream requests for what is stored`);
      const [firstHit = Number.NaN, secondHit = Number.NaN] = times;
      const rss = (await usageOf(contestant.pid ?? 0)).rss / mebibyte;
      return { values: { ready, firstHit, secondHit, rss }, problems };
    }),
};

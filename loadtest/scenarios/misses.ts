import { randomUUID } from 'node:crypto';
import { bodyPath } from '../fixtures/generated-body.ts';
import { eachAlone, verified, withCost } from '../measured.ts';
import type { Scenario } from '../scenario.ts';
import { byCost, byRate, caches, loadColumns, rateGoals } from './hot-hits.ts';

const size = 8 * 1024;
const objects = 5_000;
const smokeObjects = 200;
/** Until the code is compiled, as of any server that has run for some seconds: V8's last compiler comes after 15,000. */
const warmUps = 25_000;

/** As many small objects that nobody has asked for yet as go through. */
export const misses: Scenario = {
  name: 'misses',
  title: 'misses of 5,000 objects of 8 KiB on 16 connections',
  rounds: 3,
  peers: ['direct', ...caches],
  settings: { memory: '64MiB', disk: '2GiB', directOn: 'load' },
  columns: loadColumns,
  compared: [byRate, byCost],
  goals: rateGoals(1),
  run: (round, contestants) =>
    eachAlone(round, contestants, async (contestant) => {
      const { bench, form } = round;
      const [smoke, quick] = [form === 'smoke', form === 'quick'];
      const { base } = contestant;
      const fetchAll = async (count: number) => {
        const id = randomUUID();
        const paths = Array.from({ length: count }, (_, i) => bodyPath(`${id}-${i}`, size));
        const { result, cost } = await withCost(contestant, () =>
          bench.load.call('rate', {
            base,
            connections: 16,
            shots: paths.map((path) => ({ path })),
          }),
        );
        const problems = [
          ...result.problems,
          ...(await verified(round, contestant, ...paths.slice(0, 8))),
        ];
        const accounts = await bench.origin.call('take', paths);
        const repeated = accounts.filter(({ requests }) => requests !== 1).length;
        // Without a cache the second look is a fetch of its own.
        if (repeated > 0 && contestant.name !== 'direct') {
          problems.push(`${repeated} objects not fetched once`);
        }
        return { result, cost, problems };
      };
      // What the first requests of all cost is another matter.
      const warmUp =
        round.number === 0 && !smoke
          ? (await fetchAll(quick ? warmUps / 2 : warmUps)).problems
          : [];
      const { result, cost, problems } = await fetchAll(
        smoke ? smokeObjects : quick ? objects / 2 : objects,
      );
      const { requests, ms, p50, p99, loadBusy } = result;
      return {
        values: {
          rate: (requests / ms) * 1000,
          p50,
          p99,
          loadBusy,
          ...(cost.cpuMs !== undefined && { cpu: (cost.cpuMs * 1000) / requests }),
          ...(cost.busy !== undefined && { busy: cost.busy }),
          ...(cost.rss !== undefined && { rss: cost.rss }),
        },
        problems: [...warmUp, ...problems],
      };
    }),
};

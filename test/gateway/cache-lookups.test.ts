import { expect, test } from 'vitest';
import { type TestGateway, testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { until } from '../support/until.ts';

async function setup(fastPath: boolean): Promise<TestGateway> {
  const origin = await httpOrigin();
  const body = `{"name":"a","versions":{"1.0.0":{"dist":{"tarball":"${origin.url}/a/-/a-1.0.0.tgz"}}}}`;
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'max-age=300' };
  origin.serve('/a', { body, headers });
  return testGateway({
    config: { fastPath },
    mounts: [{ path: '/npm', ecosystem: 'npm', url: origin.url }],
  });
}

async function lookups({ adminUrl }: TestGateway, cache: string): Promise<[number, number]> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const count = (result: string): number => {
    const name = `millrace_cache_lookups_total{cache="${cache}",result="${result}"} `;
    const line = text.split('\n').find((candidate) => candidate.startsWith(name));
    return Number(line?.slice(name.length));
  };
  return [count('hit'), count('miss')];
}

const get = (gateway: TestGateway) =>
  gateway.get('/npm/a', { headers: { 'User-Agent': 'yarn/1.22.22' } });

async function isHit(gateway: TestGateway): Promise<boolean> {
  return (await get(gateway)).field('cache-status')?.includes('; hit') === true;
}

test('look-ups in internal caches are counted: records, bodies and rewritten documents', async () => {
  const gateway = await setup(false);
  expect(await lookups(gateway, 'rewritten')).toEqual([0, 0]);
  expect(await lookups(gateway, 'certificates')).toEqual([0, 0]);
  expect(await lookups(gateway, 'prepared')).toEqual([Number.NaN, Number.NaN]);
  await get(gateway);
  expect(await lookups(gateway, 'rewritten')).toEqual([0, 1]);
  expect((await lookups(gateway, 'records'))[1]).toBeGreaterThan(0);
  // Once it is stored nothing is made, and nothing is read from the disk.
  await until(() => isHit(gateway), 'a hit');
  const records = await lookups(gateway, 'records');
  const bodies = await lookups(gateway, 'bodies');
  const rewritten = await lookups(gateway, 'rewritten');
  await get(gateway);
  expect(await lookups(gateway, 'rewritten')).toEqual([rewritten[0] + 1, 1]);
  const recordsThen = await lookups(gateway, 'records');
  const bodiesThen = await lookups(gateway, 'bodies');
  expect(recordsThen).toEqual([expect.any(Number), records[1]]);
  expect(recordsThen[0]).toBeGreaterThan(records[0]);
  expect(bodiesThen).toEqual([expect.any(Number), bodies[1]]);
  expect(bodiesThen[0]).toBeGreaterThan(bodies[0]);
});

test('answers that are repeated without reading the request count as prepared', async () => {
  const gateway = await setup(true);
  await until(async () => (await isHit(gateway)) && (await isHit(gateway)), 'hits');
  await until(async () => {
    await get(gateway);
    return (await lookups(gateway, 'prepared'))[0] > 0;
  }, 'a prepared answer');
  const [hits, misses] = await lookups(gateway, 'prepared');
  expect(misses).toBeGreaterThan(0);
  await get(gateway);
  expect(await lookups(gateway, 'prepared')).toEqual([hits + 1, misses]);
});

import { expect, test } from 'vitest';
import { testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { until } from '../support/until.ts';

test('look-ups in internal caches are counted: records, bodies and rewritten documents', async () => {
  const origin = await httpOrigin();
  const document = `{"name":"a","versions":{"1.0.0":{"dist":{"tarball":"${origin.url}/a/-/a-1.0.0.tgz"}}}}`;
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'max-age=300' };
  origin.serve('/a', { body: document, headers });
  const gateway = await testGateway({
    mounts: [{ path: '/npm', ecosystem: 'npm', url: origin.url }],
  });
  const lookups = async (cache: string): Promise<readonly number[]> => {
    const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    const count = (result: string): number => {
      const name = `millrace_cache_lookups_total{cache="${cache}",result="${result}"} `;
      const line = text.split('\n').find((candidate) => candidate.startsWith(name));
      return Number(line?.slice(name.length));
    };
    return [count('hit'), count('miss')];
  };
  expect(await lookups('rewritten')).toEqual([0, 0]);
  expect(await lookups('certificates')).toEqual([0, 0]);
  const get = () => gateway.get('/npm/a', { headers: { 'User-Agent': 'yarn/1.22.22' } });
  await get();
  expect(await lookups('rewritten')).toEqual([0, 1]);
  const [, coldRecords = 0] = await lookups('records');
  expect(coldRecords).toBeGreaterThan(0);
  // Once it is stored nothing is made, and nothing is read from the disk.
  await until(async () => (await get()).field('cache-status')?.includes('; hit') === true, 'a hit');
  const [records = 0, recordsMissed] = await lookups('records');
  const [bodies = 0, bodiesMissed] = await lookups('bodies');
  const [rewritten = 0] = await lookups('rewritten');
  expect(rewritten).toBeGreaterThan(0);
  await get();
  expect(await lookups('rewritten')).toEqual([rewritten + 1, 1]);
  const [recordsThen = 0, ...recordsLeft] = await lookups('records');
  const [bodiesThen = 0, ...bodiesLeft] = await lookups('bodies');
  expect(recordsThen).toBeGreaterThan(records);
  expect(bodiesThen).toBeGreaterThan(bodies);
  expect([recordsLeft, bodiesLeft]).toEqual([[recordsMissed], [bodiesMissed]]);
});

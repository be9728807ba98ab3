import { expect, test } from 'vitest';
import { multiplyRecords } from '../../loadtest/peers/millrace-data.ts';
import { temporaryFolder, testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { until } from '../support/until.ts';

test('a multiplied store serves each copy without asking the origin', async () => {
  const data = await temporaryFolder();
  const origin = await httpOrigin();
  origin.serve('/a', { body: 'hello', headers: { 'Cache-Control': 'max-age=3600' } });
  const mounts = [{ path: '/files', url: origin.url }];
  const first = await testGateway({ config: { data }, mounts });
  await first.get('/files/a');
  await until(async () => {
    const { tiers } = await first.admin('/api/stats');
    return (tiers as { name: string; entries: number }[]).every(({ entries }) => entries === 1);
  }, 'it is stored');
  await first.close();
  multiplyRecords(data, 1_000);
  const second = await testGateway({ config: { data }, mounts });
  const { tiers } = await second.admin('/api/stats');
  expect(tiers).toContainEqual(expect.objectContaining({ name: 'disk', entries: 1_000 }));
  for (const copy of [1, 500, 999]) {
    const response = await second.get(`/files/a?copy=${copy}`);
    expect(response.body.toString()).toBe('hello');
    expect(response.field('cache-status')).toContain('hit');
  }
  const beyond = await second.get('/files/a?copy=1000');
  expect(beyond.field('cache-status')).toContain('fwd=uri-miss');
});

import { expect, test } from 'vitest';
import { temporaryFolder, testGateway } from '../support/gateway.ts';
import { generatedBytes, generatedSha256 } from '../support/generated-bytes.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { expectNoLeaks, expectNoWorkers, openWorkers } from '../support/leaks.ts';
import { untilSettled } from '../support/settled.ts';

const size = 40 * 2 ** 20;
const body = generatedBytes('large', 0, size);
const sha256 = generatedSha256('large', size);

async function setup(data: string) {
  const origin = await httpOrigin();
  const headers = { 'Cache-Control': 'max-age=60' };
  origin.serve('/large', { body: { seed: 'large', size }, headers });
  const mounts = [{ path: '/files', url: origin.url }];
  const config = { data, disk: 256 * 2 ** 20 };
  return { origin, mounts, gateway: await testGateway({ mounts, config }), config };
}

test('a large body is hashed by a thread, which ends with the gateway', async () => {
  expectNoLeaks();
  expectNoWorkers();
  const { origin, gateway } = await setup(await temporaryFolder());
  expect((await gateway.get('/files/large')).body.equals(body)).toBe(true);
  await untilSettled(gateway);
  expect(openWorkers()).toBe(1);
  const again = await gateway.get('/files/large');
  expect(again.field('cache-status')).toContain('hit');
  expect(again.body.equals(body)).toBe(true);
  const url = encodeURIComponent(`${origin.url}/large`);
  const entries = await gateway.admin(`/api/entries?url=${url}`);
  expect(JSON.stringify(entries)).toContain(sha256);
  await gateway.close();
  expect(openWorkers()).toBe(0);
});

test('a body that a client has when the gateway ends is stored, though it was not hashed yet', async () => {
  const data = await temporaryFolder();
  const { origin, mounts, gateway, config } = await setup(data);
  expect((await gateway.get('/files/large')).body.equals(body)).toBe(true);
  await gateway.close();
  const next = await testGateway({ mounts, config });
  const again = await next.get('/files/large');
  expect(again.field('cache-status')).toContain('hit');
  expect(again.body.equals(body)).toBe(true);
  expect(origin.requests.filter(({ target }) => target === '/large')).toHaveLength(1);
});

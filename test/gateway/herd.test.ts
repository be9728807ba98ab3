import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { testGateway } from '../support/gateway.ts';
import { generatedSha256 } from '../support/generated-bytes.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { head, hold } from '../support/replies.ts';
import { scriptedOrigin } from '../support/scripted-origin.ts';
import { until } from '../support/until.ts';
import { overSurfaces } from './surfaces.ts';

overSurfaces('many clients of one cold file', (setup) => {
  test('share one fetch, range readers too', async () => {
    const { origin, gateway, at } = await setup();
    const size = 3_000_000;
    origin.serve('/big', {
      body: { seed: 'herd', size },
      headers: { 'Cache-Control': 'max-age=60' },
    });
    const whole = Array.from({ length: 40 }, () => gateway.get(at('/big')));
    const ranges = Array.from({ length: 10 }, (_, i) =>
      gateway.get(at('/big'), { headers: { Range: `bytes=${i * 1000}-${i * 1000 + 99}` } }),
    );
    const sha256 = generatedSha256('herd', size);
    for (const response of await Promise.all(whole)) {
      expect(createHash('sha256').update(response.body).digest('hex')).toBe(sha256);
    }
    for (const response of await Promise.all(ranges)) {
      expect(response.status).toBe(206);
      expect(response.body).toHaveLength(100);
    }
    expect(origin.requests).toHaveLength(1);
    expect(origin.bytesSent).toBe(size);
  });
});

test('a follower has its first byte while the body is still coming, and the leader may leave', async () => {
  const origin = await scriptedOrigin();
  const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
  const script = origin.expect(
    'GET',
    '/a',
    head('200 OK', { 'Content-Length': '10', 'Cache-Control': 'max-age=60' }),
    '01234',
    hold,
    '56789',
  );
  const leader = await gateway.client.open(`${gateway.url}/files/a`);
  await new Promise((resolve) => leader.message.once('data', resolve));
  const follower = await gateway.client.open(`${gateway.url}/files/a`);
  const first = await new Promise((resolve) => follower.message.once('data', resolve));
  expect(String(first)).toBe('01234');
  expect(follower.message.headers['cache-status']).toContain('collapsed');
  leader.message.destroy();
  const rest = new Promise((resolve) => follower.message.once('data', resolve));
  script.release();
  expect(String(await rest)).toBe('56789');
  await until(() => follower.message.complete, 'the follower to be done');
  expect((await gateway.get('/files/a')).body.toString()).toBe('0123456789');
});

test('a client that stalls holds back nobody', async () => {
  const size = 8_000_000;
  const gateway = await testGateway({ mounts: [] });
  const origin = await httpOrigin();
  origin.serve('/big', { body: { seed: 'stall', size } });
  const stalled = await gateway.client.open(`${origin.url}/big`, { proxy: gateway.url });
  stalled.message.pause();
  const moving = await gateway.get(`${origin.url}/big`);
  expect(moving.body).toHaveLength(size);
  expect(origin.requests).toHaveLength(1);
  stalled.message.destroy();
});

import { expect, test } from 'vitest';
import { FakeClock } from '../support/clock.ts';
import { testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';

const body = 'created_at: 2026-01-01T00:00:00Z\n---\nnail 1.0.0 0123\n';
const etag = '"of-the-upstream"';
const headers = { 'Cache-Control': 'max-age=60', 'Repr-Digest': 'sha-256=:AAAA:' };

async function setup() {
  const origin = await httpOrigin();
  const clock = new FakeClock();
  origin.serve('/versions', { body, etag, headers });
  const gateway = await testGateway({
    now: clock.now,
    mounts: [{ path: '/gems', ecosystem: 'gems', url: origin.url }],
  });
  return { origin, gateway, clock };
}

test('a client gets what was appended to the compact index, by the upstream’s own entity tag', async () => {
  const { origin, gateway, clock } = await setup();
  const whole = await gateway.get('/gems/versions', { headers: { 'Accept-Encoding': 'gzip' } });
  expect([whole.field('etag'), whole.field('repr-digest')]).toEqual([etag, 'sha-256=:AAAA:']);
  const range = `bytes=${body.length - 1}-`;
  const same = await gateway.get('/gems/versions', {
    headers: { Range: range, 'If-None-Match': etag },
  });
  expect(same.status).toBe(304);

  const longer = `${body}nail 1.1.0 4567\n`;
  origin.serve('/versions', { body: longer, etag: '"newer"', headers });
  clock.advance(61_000);
  const part = await gateway.get('/gems/versions', {
    headers: { Range: range, 'If-None-Match': etag },
  });
  expect([part.status, part.body.toString()]).toEqual([206, longer.slice(body.length - 1)]);
  expect(part.field('etag')).toBe('"newer"');
  expect(origin.requests.map(({ status }) => status)).toEqual([200, 200]);
});

test('who asks whether there is a compact index leaves it for the next one, also for the root', async () => {
  const { origin, gateway } = await setup();
  const first = await gateway.get('/gems/', { method: 'HEAD' });
  expect([first.status, first.body.length]).toEqual([200, 0]);
  await origin.close();
  expect((await gateway.get('/gems/versions')).body.toString()).toBe(body);
  expect((await gateway.get('/gems/', { method: 'HEAD' })).status).toBe(200);
  expect(origin.requests.map(({ method, target }) => [method, target])).toEqual([
    ['GET', '/versions'],
  ]);
});

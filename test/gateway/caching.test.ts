import { expect, test } from 'vitest';
import { FakeClock } from '../support/clock.ts';
import { until } from '../support/until.ts';
import { overSurfaces } from './surfaces.ts';

overSurfaces('a cache', (setup) => {
  test('fetches once and serves the second request itself', async () => {
    const { origin, gateway, at } = await setup();
    origin.serve('/a?b', {
      body: 'hello',
      headers: { 'Cache-Control': 'max-age=60', 'X-Kept': 'Yes' },
    });
    const first = await gateway.get(at('/a?b'));
    expect(first.status).toBe(200);
    expect(first.body.toString()).toBe('hello');
    expect(first.field('cache-status')).toBe(
      'millrace; fwd=uri-miss; fwd-status=200; stored; detail=miss',
    );
    await stored(gateway);
    const second = await gateway.get(at('/a?b'));
    expect(second.body.toString()).toBe('hello');
    expect(second.field('cache-status')).toMatch(/^millrace; hit; ttl=(60|59)$/);
    expect(second.field('x-kept')).toBe('Yes');
    expect(second.field('age')).toMatch(/^[01]$/);
    expect(second.field('via')).toBe('1.1 millrace');
    expect(origin.requests).toHaveLength(1);
    expect(origin.requests[0]?.target).toBe('/a?b');
  });

  test('counts the age on, and validates when it is over', async () => {
    const clock = new FakeClock();
    const { origin, gateway, at } = await setup({ now: clock.now });
    const date = new Date(clock.now()).toUTCString();
    origin.serve('/a', { body: 'hello', headers: { 'Cache-Control': 'max-age=60', Date: date } });
    await gateway.get(at('/a'));
    await stored(gateway);
    clock.advance(42_000);
    const fresh = await gateway.get(at('/a'));
    expect(fresh.field('age')).toBe('42');
    expect(fresh.field('cache-status')).toBe('millrace; hit; ttl=18');
    clock.advance(20_000);
    const validated = await gateway.get(at('/a'));
    expect(validated.body.toString()).toBe('hello');
    expect(validated.field('cache-status')).toBe(
      'millrace; fwd=stale; fwd-status=304; detail=revalidated',
    );
    expect(origin.requests.map(({ status }) => status)).toEqual([200, 304]);
  });

  test('a changed representation replaces the stored one', async () => {
    const clock = new FakeClock();
    const { origin, gateway, at } = await setup({ now: clock.now });
    const headers = { 'Cache-Control': 'max-age=1' };
    origin.serve('/a', { body: 'old', headers });
    await gateway.get(at('/a'));
    await stored(gateway);
    origin.serve('/a', { body: 'new', headers });
    clock.advance(5_000);
    expect((await gateway.get(at('/a'))).body.toString()).toBe('new');
    await stored(gateway);
    expect((await gateway.get(at('/a'))).body.toString()).toBe('new');
  });

  test('answers conditional requests itself', async () => {
    const { origin, gateway, at } = await setup();
    origin.serve('/a', { body: 'hello', etag: '"v1"', headers: { 'Cache-Control': 'max-age=60' } });
    await gateway.get(at('/a'));
    await stored(gateway);
    const same = await gateway.get(at('/a'), { headers: { 'If-None-Match': 'W/"x", "v1"' } });
    expect(same.status).toBe(304);
    expect(same.field('etag')).toBe('"v1"');
    expect(same.body).toHaveLength(0);
    const other = await gateway.get(at('/a'), { headers: { 'If-None-Match': '"v0"' } });
    expect(other.status).toBe(200);
    expect(origin.requests).toHaveLength(1);
  });

  test('answers HEAD from a stored GET, and forwards it otherwise', async () => {
    const { origin, gateway, at } = await setup();
    origin.serve('/a', { body: 'hello', headers: { 'Cache-Control': 'max-age=60' } });
    const forwarded = await gateway.get(at('/a'), { method: 'HEAD' });
    expect(forwarded.status).toBe(200);
    expect(forwarded.field('content-length')).toBe('5');
    await gateway.get(at('/a'));
    await stored(gateway);
    const head = await gateway.get(at('/a'), { method: 'HEAD' });
    expect(head.field('content-length')).toBe('5');
    expect(head.field('cache-status')).toContain('hit');
    expect(origin.requests.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
  });

  test('serves a range on a miss and on a hit from one fetch', async () => {
    const { origin, gateway, at } = await setup();
    origin.serve('/a', { body: '0123456789', headers: { 'Cache-Control': 'max-age=60' } });
    const miss = await gateway.get(at('/a'), { headers: { Range: 'bytes=2-4' } });
    expect(miss.status).toBe(206);
    expect(miss.body.toString()).toBe('234');
    expect(miss.field('content-range')).toBe('bytes 2-4/10');
    expect(miss.field('content-length')).toBe('3');
    await stored(gateway);
    const hit = await gateway.get(at('/a'), { headers: { Range: 'bytes=-3' } });
    expect(hit.status).toBe(206);
    expect(hit.body.toString()).toBe('789');
    const beyond = await gateway.get(at('/a'), { headers: { Range: 'bytes=10-' } });
    expect(beyond.status).toBe(416);
    expect(beyond.field('content-range')).toBe('bytes */10');
    expect(origin.requests).toHaveLength(1);
  });

  test('If-Range with another validator gets the whole representation', async () => {
    const { origin, gateway, at } = await setup();
    origin.serve('/a', {
      body: '0123456789',
      etag: '"v1"',
      headers: { 'Cache-Control': 'max-age=60' },
    });
    const conditions = { Range: 'bytes=2-4', 'If-Range': '"v0"' };
    expect((await gateway.get(at('/a'), { headers: conditions })).status).toBe(200);
  });

  test('keeps variants apart by the fields that Vary names', async () => {
    const { origin, gateway, at } = await setup();
    origin.handle('/a', (request, response) => {
      response.setHeader('Vary', 'Accept-Language');
      response.setHeader('Cache-Control', 'max-age=60');
      response.end(request.headers['accept-language'] ?? 'none');
    });
    const ask = async (language: string) =>
      (await gateway.get(at('/a'), { headers: { 'Accept-Language': language } })).body.toString();
    expect(await ask('de')).toBe('de');
    await stored(gateway);
    expect(await ask('fr')).toBe('fr');
    await stored(gateway);
    expect(await ask('de')).toBe('de');
    expect((await gateway.get(at('/a'))).body.toString()).toBe('none');
    expect(origin.requests).toHaveLength(3);
  });

  test.each([['no-store'], ['private']])(
    'does not keep a response that says %s',
    async (directive) => {
      const { origin, gateway, at } = await setup();
      origin.serve('/a', { body: 'mine', headers: { 'Cache-Control': directive } });
      for (let i = 0; i < 2; i++) {
        const response = await gateway.get(at('/a'));
        expect(response.body.toString()).toBe('mine');
        expect(response.field('cache-status')).toContain('detail=bypass');
      }
      expect(origin.requests).toHaveLength(2);
    },
  );

  test('shares a response to credentials only when it is public', async () => {
    const { origin, gateway, at } = await setup();
    origin.serve('/mine', { body: 'mine', headers: { 'Cache-Control': 'max-age=60' } });
    origin.serve('/all', { body: 'all', headers: { 'Cache-Control': 'public, max-age=60' } });
    const headers = { Authorization: 'Bearer secret' };
    for (const path of ['/mine', '/mine', '/all']) await gateway.get(at(path), { headers });
    await stored(gateway);
    await gateway.get(at('/all'));
    expect(origin.requests.map(({ target }) => target)).toEqual(['/mine', '/mine', '/all']);
  });

  test('serves stale when the upstream fails, and says so', async () => {
    const clock = new FakeClock();
    const { origin, gateway, at } = await setup({ now: clock.now });
    origin.serve('/a', { body: 'hello', headers: { 'Cache-Control': 'max-age=1' } });
    await gateway.get(at('/a'));
    await stored(gateway);
    clock.advance(60_000);
    origin.serve('/a', { body: 'broken', status: 503 });
    const unavailable = await gateway.get(at('/a'));
    expect(unavailable.status).toBe(200);
    expect(unavailable.body.toString()).toBe('hello');
    expect(unavailable.field('cache-status')).toContain('detail=stale');
    await origin.close();
    expect((await gateway.get(at('/a'))).body.toString()).toBe('hello');
  });

  test('must-revalidate forbids stale: a complete error instead', async () => {
    const clock = new FakeClock();
    const { origin, gateway, at } = await setup({ now: clock.now });
    origin.serve('/a', {
      body: 'hello',
      headers: { 'Cache-Control': 'max-age=1, must-revalidate' },
    });
    await gateway.get(at('/a'));
    await stored(gateway);
    clock.advance(60_000);
    await origin.close();
    const response = await gateway.get(at('/a'));
    expect(response.status).toBe(502);
    expect(response.field('proxy-status')).toContain('error=connection_refused');
    expect(response.aborted).toBe(false);
  });

  test('stale-while-revalidate answers at once and refreshes behind', async () => {
    const clock = new FakeClock();
    const { origin, gateway, at } = await setup({ now: clock.now });
    const headers = { 'Cache-Control': 'max-age=1, stale-while-revalidate=100' };
    origin.serve('/a', { body: 'old', headers });
    await gateway.get(at('/a'));
    await stored(gateway);
    clock.advance(10_000);
    origin.serve('/a', { body: 'new', headers });
    const stale = await gateway.get(at('/a'));
    expect(stale.body.toString()).toBe('old');
    expect(stale.field('cache-status')).toMatch(/^millrace; hit; ttl=-\d+; detail=stale$/);
    await until(() => origin.requests.length === 2, 'a validation in the background');
    await stored(gateway);
    expect((await gateway.get(at('/a'))).body.toString()).toBe('new');
  });

  test('keeps a 404 for a short time', async () => {
    const clock = new FakeClock();
    const { origin, gateway, at } = await setup({ now: clock.now });
    expect((await gateway.get(at('/none'))).status).toBe(404);
    await stored(gateway);
    expect((await gateway.get(at('/none'))).field('cache-status')).toContain('hit');
    clock.advance(11_000);
    expect((await gateway.get(at('/none'))).status).toBe(404);
    expect(origin.requests).toHaveLength(2);
  });

  test('an unsafe method that succeeds invalidates what is stored', async () => {
    const { origin, gateway, at } = await setup();
    origin.serve('/a', { body: 'old', headers: { 'Cache-Control': 'max-age=60' } });
    await gateway.get(at('/a'));
    await stored(gateway);
    origin.handle('/a', (request, response) => {
      request.on('data', () => {});
      request.on('end', () => response.end('done'));
    });
    const put = await gateway.get(at('/a'), { method: 'PUT', body: 'new' });
    expect(put.body.toString()).toBe('done');
    expect(put.field('cache-status')).toContain('detail=passthrough');
    origin.serve('/a', { body: 'new', headers: { 'Cache-Control': 'max-age=60' } });
    await until(() => true);
    expect((await gateway.get(at('/a'))).body.toString()).toBe('new');
  });

  test('only-if-cached and not there is a 504', async () => {
    const { gateway, at } = await setup();
    const response = await gateway.get(at('/a'), {
      headers: { 'Cache-Control': 'only-if-cached' },
    });
    expect(response.status).toBe(504);
  });
});

/** Once the fill is settled and its record visible. */
async function stored(gateway: { admin(path: string): Promise<Record<string, unknown>> }) {
  for (;;) {
    const { fills } = (await gateway.admin('/api/stats')) as { fills: { active: number } };
    if (fills.active === 0) return;
  }
}

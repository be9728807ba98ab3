import { expect, test } from 'vitest';
import { FakeClock } from '../support/clock.ts';
import { untilSettled } from '../support/settled.ts';
import { overSurfaces } from './surfaces.ts';

overSurfaces('HEAD', (setup) => {
  test('of what is stale validates the stored response, which is fresh again', async () => {
    const clock = new FakeClock();
    const { origin, gateway, at } = await setup({ now: clock.now });
    origin.serve('/a', { body: 'hello', headers: { 'Cache-Control': 'max-age=10' } });
    await gateway.get(at('/a'));
    await untilSettled(gateway);
    clock.advance(11_000);
    const head = await gateway.get(at('/a'), { method: 'HEAD' });
    expect(head.field('content-length')).toBe('5');
    expect(head.field('cache-status')).toContain('fwd=stale; fwd-status=304');
    expect((await gateway.get(at('/a'))).field('cache-status')).toContain('; hit');
    expect(origin.requests.map(({ status }) => status)).toEqual([200, 304]);
  });

  test('that the origin answers for another representation ends the stored one', async () => {
    const { origin, gateway, at } = await setup();
    origin.serve('/a', { body: 'hello', etag: '"1"', headers: { 'Cache-Control': 'max-age=60' } });
    await gateway.get(at('/a'));
    await untilSettled(gateway);
    origin.serve('/a', { body: 'other', etag: '"2"', headers: { 'Cache-Control': 'max-age=60' } });
    const head = await gateway.get(at('/a'), { method: 'HEAD', headers: { 'If-Match': '"2"' } });
    expect(head.status).toBe(200);
    expect((await gateway.get(at('/a'))).body.toString()).toBe('other');
    expect(origin.requests.map(({ method }) => method)).toEqual(['GET', 'HEAD', 'GET']);
  });

  test('that the origin answers for the stored representation brings its fields', async () => {
    const { origin, gateway, at } = await setup();
    const resource = { body: 'hello', etag: '"1"' };
    origin.serve('/a', { ...resource, headers: { 'Cache-Control': 'max-age=60', 'X-Is': 'old' } });
    await gateway.get(at('/a'));
    await untilSettled(gateway);
    origin.serve('/a', { ...resource, headers: { 'Cache-Control': 'max-age=60', 'X-Is': 'new' } });
    await gateway.get(at('/a'), { method: 'HEAD', headers: { 'If-Match': '"0"' } });
    const after = await gateway.get(at('/a'));
    expect(after.field('x-is')).toBe('new');
    expect(after.body.toString()).toBe('hello');
    expect(origin.requests.map(({ method }) => method)).toEqual(['GET', 'HEAD']);
  });
});

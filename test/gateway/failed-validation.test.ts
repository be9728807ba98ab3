import { describe, expect, test } from 'vitest';
import { FakeClock } from '../support/clock.ts';
import { testGateway } from '../support/gateway.ts';
import { head, hold, reset, response } from '../support/replies.ts';
import { scriptedOrigin } from '../support/scripted-origin.ts';
import { untilSettled } from '../support/settled.ts';

describe.each(['mount', 'forward proxy'] as const)(
  'after a validation without an answer, over the %s,',
  (surface) => {
    /** One stale response, whose validation has just got no answer. */
    async function setUp(cacheControl: string) {
      const clock = new FakeClock();
      const origin = await scriptedOrigin();
      const gateway = await testGateway({
        now: clock.now,
        mounts: [{ path: '/files', url: origin.url }],
      });
      const target = surface === 'mount' ? '/files/a' : `${origin.url}/a`;
      const fields = { 'Cache-Control': cacheControl, ETag: '"1"' };
      origin.expect('GET', '/a', response('200 OK', fields, 'stored'));
      await gateway.get(target);
      await untilSettled(gateway);
      clock.advance(60_000);
      // On the kept connection, and once more on a fresh one.
      origin.expect('GET', '/a', reset);
      origin.expect('GET', '/a', reset);
      const first = await gateway.get(target);
      return { clock, origin, gateway, first, get: () => gateway.get(target) };
    }

    test('what may be served stale is served at once, and the log says why', async () => {
      const { origin, gateway, first, get } = await setUp('max-age=10');
      expect(first.field('cache-status')).toBe('millrace; fwd=stale; detail=stale');
      const second = await get();
      expect(second.body.toString()).toBe('stored');
      expect(second.field('cache-status')).toBe('millrace; hit; ttl=-50; detail=stale');
      expect(origin.requests).toHaveLength(3);
      const line = gateway
        .log()
        .filter(({ msg }) => msg === 'request')
        .at(-1);
      expect(line).toMatchObject({ outcome: 'stale', error: 'connection_terminated' });
    });

    test('one request tries again after a while, and only that one waits', async () => {
      const { clock, origin, get } = await setUp('max-age=10');
      clock.advance(5_000);
      const script = origin.expect('GET', '/a', hold, head('304 Not Modified', { ETag: '"1"' }));
      const trying = get();
      await script.requested;
      expect((await get()).field('cache-status')).toBe('millrace; hit; ttl=-55; detail=stale');
      script.release();
      expect((await trying).field('cache-status')).toContain('detail=revalidated');
      expect((await get()).field('cache-status')).toContain('millrace; hit; ttl=10');
      expect(origin.requests).toHaveLength(4);
    });

    test('what is never to be served stale is asked for each time', async () => {
      const { origin, first, get } = await setUp('max-age=10, must-revalidate');
      expect(first.status).toBe(502);
      origin.expect('GET', '/a', head('304 Not Modified', { ETag: '"1"' }));
      expect((await get()).status).toBe(200);
    });
  },
);

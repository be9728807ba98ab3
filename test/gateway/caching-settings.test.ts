import { expect, test } from 'vitest';
import type { CachingConfig } from '../../src/config/config.ts';
import { FakeClock } from '../support/clock.ts';
import type { TestGateway } from '../support/gateway.ts';
import type { HttpOrigin, Resource } from '../support/http-origin.ts';
import { untilSettled } from '../support/settled.ts';
import { overSurfaces } from './surfaces.ts';

overSurfaces('the caching settings', (setup) => {
  /** A gateway where this surface has these settings, and a clock that the test moves. */
  async function withSettings(settings: Partial<CachingConfig>) {
    const clock = new FakeClock();
    const made = await setup({ now: clock.now, config: settings, mountSettings: settings });
    return { ...made, clock };
  }

  /** What the second of two requests was answered from. */
  async function secondOutcome(
    settings: Partial<CachingConfig>,
    resource: Partial<Resource>,
  ): Promise<'hit' | 'fetched'> {
    const { origin, gateway, at } = await withSettings(settings);
    origin.serve('/a', { body: 'hello', etag: false, ...resource });
    await gateway.get(at('/a'));
    await untilSettled(gateway);
    await gateway.get(at('/a'));
    return origin.requests.length === 1 ? 'hit' : 'fetched';
  }

  test('cacheControlFields: by default Millrace-Cache-Control wins over CDN-Cache-Control, that over Cache-Control', async () => {
    const fields = (millrace: string, cdn: string, plain: string) => ({
      headers: {
        'Millrace-Cache-Control': millrace,
        'CDN-Cache-Control': cdn,
        'Cache-Control': plain,
      },
    });
    expect(await secondOutcome({}, fields('max-age=9', 'no-store', 'no-store'))).toBe('hit');
    expect(await secondOutcome({}, fields('no-store', 'max-age=9', 'max-age=9'))).toBe('fetched');
    // Malformed: it is ignored, and the next one counts. RFC 9213 section 2.1.
    expect(await secondOutcome({}, fields('max-age="9"', 'max-age=9', 'no-store'))).toBe('hit');
    expect(await secondOutcome({}, fields('&', '&', 'max-age=9'))).toBe('hit');
  });

  test('cacheControlFields: the list and its order are the operator’s', async () => {
    const headers = {
      'CDN-Cache-Control': 'max-age=9',
      'X-Cache-Control': 'no-store',
      'Cache-Control': 'no-store',
    };
    const list = (...cacheControlFields: string[]) =>
      secondOutcome({ cacheControlFields }, { headers });
    expect(await list('cdn-cache-control', 'x-cache-control')).toBe('hit');
    expect(await list('x-cache-control', 'cdn-cache-control')).toBe('fetched');
    expect(await list()).toBe('fetched');
  });

  test('storeSetCookie: by default a cookie is shared only with explicit freshness or public', async () => {
    const cookie = { 'Set-Cookie': 'a=b' };
    const old = new Date(0).toUTCString();
    const fresh = { headers: { ...cookie, 'Cache-Control': 'max-age=9' } };
    const silent = { headers: cookie, lastModified: old };
    expect(await secondOutcome({}, fresh)).toBe('hit');
    expect(await secondOutcome({}, silent)).toBe('fetched');
    expect(await secondOutcome({ storeSetCookie: 'always' }, silent)).toBe('hit');
    expect(await secondOutcome({ storeSetCookie: 'never' }, fresh)).toBe('fetched');
  });

  test('storeServerErrors: by default a 5xx with explicit freshness is reused', async () => {
    const broken = { status: 503, headers: { 'Cache-Control': 'max-age=9' } };
    expect(await secondOutcome({}, broken)).toBe('hit');
    expect(await secondOutcome({ storeServerErrors: false }, broken)).toBe('fetched');
  });

  /** The status of a request for something stale while the upstream answers so, or not at all. */
  async function whileFailing(
    settings: Partial<CachingConfig>,
    failure: number | 'disconnected',
  ): Promise<number> {
    const { origin, gateway, at, clock } = await withSettings(settings);
    origin.serve('/a', { body: 'hello', headers: { 'Cache-Control': 'max-age=1' } });
    await gateway.get(at('/a'));
    await untilSettled(gateway);
    clock.advance(30_000);
    await fail(origin, failure);
    return await statusOf(gateway, at('/a'), failure);
  }

  test.each([500, 502, 503, 504])(
    'staleIfError: a %i is answered with a stale response within the window, and passed on after it',
    async (status) => {
      expect(await whileFailing({ staleIfError: 60_000 }, status)).toBe(200);
      expect(await whileFailing({ staleIfError: 20_000 }, status)).toBe(status);
    },
  );

  test.each([404, 501, 505])('staleIfError: a %i is the origin’s answer', async (status) => {
    expect(await whileFailing({ staleIfError: 60_000 }, status)).toBe(status);
  });

  test('staleOnDisconnect: by default an upstream out of reach is answered for with a stale response', async () => {
    expect(await whileFailing({}, 'disconnected')).toBe(200);
    expect(await whileFailing({ staleIfError: 20_000 }, 'disconnected')).toBe(502);
    expect(await whileFailing({ staleOnDisconnect: false }, 'disconnected')).toBe(502);
    expect(await whileFailing({ staleOnDisconnect: false }, 503)).toBe(200);
  });
});

async function fail(origin: HttpOrigin, failure: number | 'disconnected'): Promise<void> {
  if (failure === 'disconnected') await origin.close();
  else origin.serve('/a', { body: 'broken', status: failure, etag: '"other"' });
}

/** The status, after a look at what the response says of its way. */
async function statusOf(
  gateway: TestGateway,
  target: string,
  failure: number | 'disconnected',
): Promise<number> {
  const { status, field, body } = await gateway.get(target);
  if (status === 200) {
    expect(body.toString()).toBe('hello');
    expect(field('cache-status')).toBe(
      failure === 'disconnected'
        ? 'millrace; fwd=stale; detail=stale'
        : `millrace; fwd=stale; fwd-status=${failure}; detail=stale`,
    );
  }
  return status;
}

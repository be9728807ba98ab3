import { expect, test } from 'vitest';
import { fieldLines } from '../../src/core/raw-headers.ts';
import { FakeClock } from '../support/clock.ts';
import { untilSettled } from '../support/settled.ts';
import { overSurfaces } from './surfaces.ts';

overSurfaces('the fields of an answer', (setup) => {
  test('Date and Expires are the origin’s, byte for byte, however old the response is', async () => {
    const clock = new FakeClock();
    const { origin, gateway, at } = await setup({ now: clock.now });
    const times = {
      Date: new Date(clock.now() - 3_000).toUTCString().toUpperCase(),
      Expires: new Date(clock.now() + 3_600_000).toUTCString().toLowerCase(),
    };
    origin.serve('/a', { body: 'hello', headers: times });
    for (let request = 0; request < 3; request++) {
      const answer = await gateway.get(at('/a'));
      expect(answer.field('date')).toBe(times.Date);
      expect(answer.field('expires')).toBe(times.Expires);
      await untilSettled(gateway);
      clock.advance(60_000);
    }
    expect(origin.requests).toHaveLength(1);
  });

  test('Age is on what is reused, and on what the origin answered only where it came with one', async () => {
    const clock = new FakeClock();
    const { origin, gateway, at } = await setup({ now: clock.now });
    const ages = async (path: string, headers: Record<string, string>) => {
      const said = [];
      // A miss, a hit after 20 s, a validation after 80 s.
      for (const wait of [20_000, 60_000, 0]) {
        const date = { Date: new Date(clock.now()).toUTCString() };
        const fields = { 'Cache-Control': 'max-age=60', ...date, ...headers };
        origin.serve(path, { body: 'hello', headers: fields });
        said.push((await gateway.get(at(path))).field('age'));
        await untilSettled(gateway);
        clock.advance(wait);
      }
      return said;
    };
    expect(await ages('/plain', {})).toEqual([undefined, '20', undefined]);
    expect(await ages('/aged', { Age: '7' })).toEqual(['7', '27', '7']);
    expect(origin.requests.map(({ status }) => status)).toEqual([200, 304, 200, 304]);
  });

  test('a validation carries the stored validators byte for byte and the request fields that Vary names', async () => {
    const clock = new FakeClock();
    const { origin, gateway, at } = await setup({ now: clock.now });
    const lastModified = 'sunday, 06-Nov-94 08:49:37 gmt';
    origin.serve('/a', {
      body: 'hello',
      etag: 'W/"a , b"',
      lastModified,
      headers: { 'Cache-Control': 'max-age=1', Vary: 'X-Chosen' },
    });
    const headers = { 'X-Chosen': ' Same,  again ', 'If-None-Match': '"mine"' };
    await gateway.get(at('/a'), { headers });
    await untilSettled(gateway);
    clock.advance(60_000);
    await gateway.get(at('/a'), { headers });
    const sent = origin.requests[1]?.headers ?? [];
    expect(fieldLines(sent, 'if-none-match')).toEqual(['W/"a , b"']);
    expect(fieldLines(sent, 'if-modified-since')).toEqual([lastModified]);
    expect(fieldLines(sent, 'x-chosen')).toEqual(['Same,  again']);
    // Another variant is asked for without them.
    await gateway.get(at('/a'), { headers: { 'X-Chosen': 'other' } });
    expect(fieldLines(origin.requests[2]?.headers ?? [], 'if-none-match')).toEqual([]);
  });

  test('a client’s no-store or Authorization leaves what is stored for others as it was', async () => {
    const clock = new FakeClock();
    const { origin, gateway, at } = await setup({ now: clock.now });
    origin.serve('/a', {
      body: 'hello',
      headers: { 'Cache-Control': 'max-age=60, stale-while-revalidate=600' },
    });
    await gateway.get(at('/a'));
    await untilSettled(gateway);
    for (const headers of [
      { 'Cache-Control': 'no-cache, no-store' },
      { 'Cache-Control': 'no-cache', Authorization: 'Basic eDp5' },
    ]) {
      const validated = await gateway.get(at('/a'), { headers: headers as Record<string, string> });
      expect(validated.body.toString()).toBe('hello');
      expect(validated.field('cache-status')).toContain('fwd=request; fwd-status=304');
    }
    expect((await gateway.get(at('/a'))).field('cache-status')).toMatch(/^millrace; hit/);
    expect(origin.requests).toHaveLength(3);
  });
});

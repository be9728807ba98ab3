import { expect, test } from 'vitest';
import { partsOf } from '../support/multipart.ts';
import { overSurfaces } from './surfaces.ts';

const headers = { 'Cache-Control': 'max-age=60', 'Content-Type': 'text/plain' };

/** RFC 9110 sections 14.2 and 15.3.7.2. */
overSurfaces('several ranges', (setup) => {
  test.each(['a miss', 'a hit'])('of %s come as multipart/byteranges', async (which) => {
    const { origin, gateway, at } = await setup();
    origin.serve('/a', { body: '0123456789abcdef', headers });
    if (which === 'a hit') await gateway.get(at('/a'));
    const answer = await gateway.get(at('/a'), { headers: { Range: 'bytes=0-1, 4-5, -2' } });
    expect(answer.status).toBe(206);
    expect(answer.field('content-range')).toBeUndefined();
    expect(answer.field('content-length')).toBe(String(answer.body.length));
    expect(answer.field('etag')).toBeDefined();
    const parts = partsOf(answer.field('content-type'), answer.body);
    expect(parts.map(({ body }) => body.toString())).toEqual(['01', '45', 'ef']);
    expect(parts.map(({ fields }) => fields.get('content-range'))).toEqual([
      'bytes 0-1/16',
      'bytes 4-5/16',
      'bytes 14-15/16',
    ]);
    expect(parts.map(({ fields }) => fields.get('content-type'))).toEqual(
      Array.from({ length: 3 }, () => 'text/plain'),
    );
    expect(origin.requests).toHaveLength(1);
  });

  test('that overlap or touch are one, and then an ordinary part', async () => {
    const { origin, gateway, at } = await setup();
    origin.serve('/a', { body: '0123456789abcdef', headers });
    await gateway.get(at('/a'));
    const answer = await gateway.get(at('/a'), { headers: { Range: 'bytes=0-3, 2-5, 6-7' } });
    expect(answer.status).toBe(206);
    expect(answer.field('content-range')).toBe('bytes 0-7/16');
    expect(answer.body.toString()).toBe('01234567');
  });

  test('of which one is satisfiable are that one', async () => {
    const { origin, gateway, at } = await setup();
    origin.serve('/a', { body: '0123456789abcdef', headers });
    await gateway.get(at('/a'));
    const answer = await gateway.get(at('/a'), { headers: { Range: 'bytes=2-3, 100-200' } });
    expect(answer.field('content-range')).toBe('bytes 2-3/16');
  });

  test('under an If-Range that does not match are the whole', async () => {
    const { origin, gateway, at } = await setup();
    origin.serve('/a', { body: '0123456789abcdef', headers });
    await gateway.get(at('/a'));
    const condition = { Range: 'bytes=0-1, 4-5', 'If-Range': '"other"' };
    const answer = await gateway.get(at('/a'), { headers: condition });
    expect(answer.status).toBe(200);
    expect(answer.body.toString()).toBe('0123456789abcdef');
  });

  test('of a large body are streamed from it while it arrives', async () => {
    const { origin, gateway, at } = await setup();
    const body = Buffer.alloc(3_000_000, 'abcdefghijklm');
    origin.serve('/a', { body, headers });
    const answer = await gateway.get(at('/a'), {
      headers: { Range: 'bytes=2500000-2599999, 0-99999' },
    });
    const parts = partsOf(answer.field('content-type'), answer.body);
    expect(parts[0]?.body.equals(body.subarray(2_500_000, 2_600_000))).toBe(true);
    expect(parts[1]?.body.equals(body.subarray(0, 100_000))).toBe(true);
  });

  test('are nothing to HEAD', async () => {
    const { origin, gateway, at } = await setup();
    origin.serve('/a', { body: '0123456789abcdef', headers });
    await gateway.get(at('/a'));
    const answer = await gateway.get(at('/a'), {
      method: 'HEAD',
      headers: { Range: 'bytes=0-1, 4-5' },
    });
    expect(answer.status).toBe(200);
    expect(answer.field('content-length')).toBe('16');
  });
});

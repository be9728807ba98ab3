import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type TestGateway, temporaryFolder, testGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { type BreakingOrigin, breakingOrigin } from './breaking-origin.ts';

const mebibyte = 2 ** 20;
const size = 8 * mebibyte;

/** A gateway before an origin that went down in the middle of the body. */
async function broken(prepare: (origin: BreakingOrigin) => void = () => undefined) {
  const origin = await breakingOrigin(size);
  origin.breaksAt = 5 * mebibyte;
  prepare(origin);
  const data = await temporaryFolder();
  const start = () =>
    testGateway({ mounts: [{ path: '/files', url: origin.url }], config: { data } });
  const gateway = await start();
  const first = await gateway.get('/files/big');
  expect(first.aborted).toBe(true);
  expect(first.body.equals(origin.bytes(0, first.body.length - 1))).toBe(true);
  await until(() => origin.down);
  origin.down = false;
  origin.sent = 0;
  const before = origin.ranges.length;
  return { origin, gateway, data, start, ranges: () => origin.ranges.slice(before) };
}

/** Bytes that are here of the one body that is on its way. */
async function arrived(gateway: TestGateway): Promise<number> {
  const { fills } = (await gateway.admin('/api/fills')) as { fills: { bytes: number }[] };
  return fills[0]?.bytes ?? 0;
}

/** Once nothing is under way. */
async function stored(gateway: TestGateway): Promise<void> {
  const { fills } = (await gateway.admin('/api/stats')) as { fills: { active: number } };
  if (fills.active > 0) await stored(gateway);
}

describe('a body that broke off because its upstream died', () => {
  test('is taken up by the next request, which fetches only what is missing', async () => {
    const { origin, gateway, ranges } = await broken();
    const answer = await gateway.get('/files/big');
    expect(answer.status).toBe(200);
    expect(answer.body.equals(origin.bytes())).toBe(true);
    expect(answer.field('x-kept')).toBe('yes');
    expect(answer.field('content-range')).toBeUndefined();
    expect(answer.field('content-length')).toBe(String(size));
    expect(answer.field('cache-status')).toContain('stored');
    expect(ranges()).toEqual([`bytes=${5 * mebibyte}-`]);
    expect(origin.sent).toBe(3 * mebibyte);
    // Its line is written when its last byte is, which the client may see first.
    const requests = () => gateway.log().filter(({ msg }) => msg === 'request');
    await until(() => requests().length === 2);
    const entry = { outcome: 'miss', bytesIn: 3 * mebibyte, bytesOut: size };
    expect(requests().at(-1)).toMatchObject(entry);
    await stored(gateway);
    const again = await gateway.get('/files/big');
    expect(again.body.equals(origin.bytes())).toBe(true);
    expect(again.field('cache-status')).toContain('hit');
    expect(again.field('x-kept')).toBe('yes');
    expect(ranges()).toHaveLength(1);
  });

  test('is taken up after a restart, by a client that wants a part of it, too', async () => {
    const { origin, gateway, start, ranges } = await broken();
    await gateway.close();
    const next = await start();
    const Range = `bytes=${mebibyte}-${6 * mebibyte - 1}`;
    const answer = await next.get('/files/big', { headers: { Range } });
    expect(answer.status).toBe(206);
    expect(answer.body.equals(origin.bytes(mebibyte, 6 * mebibyte - 1))).toBe(true);
    const whole = await next.get('/files/big');
    expect(whole.body.equals(origin.bytes())).toBe(true);
    expect(ranges()).toEqual([`bytes=${5 * mebibyte}-`]);
  });

  test('is taken up after a gateway that was ended in the middle of it', async () => {
    const origin = await breakingOrigin(size);
    const data = await temporaryFolder();
    const config = { data, shutdownGrace: 50 };
    const mounts = [{ path: '/files', url: origin.url }];
    const gateway = await testGateway({ mounts, config });
    const held = new Promise<void>(() => undefined);
    origin.pace = (position) => (position < 5 * mebibyte ? Promise.resolve() : held);
    const cut = gateway.get('/files/big');
    await until(async () => (await arrived(gateway)) >= 5 * mebibyte);
    await gateway.close();
    expect((await cut).aborted).toBe(true);
    origin.pace = async () => undefined;
    const answer = await (await testGateway({ mounts, config })).get('/files/big');
    expect(answer.body.equals(origin.bytes())).toBe(true);
    expect(origin.ranges).toEqual([undefined, `bytes=${5 * mebibyte}-`]);
  });

  test('breaks off again, and goes on from there', async () => {
    const { origin, gateway, ranges } = await broken();
    origin.breaksAt = 7 * mebibyte;
    // Where it breaks before what is kept was checked there is no first byte yet.
    const cut = await gateway.get('/files/big');
    expect(cut.aborted || cut.status === 502).toBe(true);
    await until(() => origin.down);
    origin.down = false;
    const answer = await gateway.get('/files/big');
    expect(answer.body.equals(origin.bytes())).toBe(true);
    expect(ranges()[0]).toBe(`bytes=${5 * mebibyte}-`);
    expect(ranges().at(-1)).toBe(`bytes=${7 * mebibyte}-`);
    expect(origin.sent).toBe(3 * mebibyte);
  });

  test('is begun anew when the origin has another one by now', async () => {
    const { origin, gateway, ranges } = await broken();
    origin.seed = 'second';
    origin.etag = '"second"';
    const answer = await gateway.get('/files/big');
    expect(answer.body.equals(origin.bytes())).toBe(true);
    expect(ranges()).toEqual([`bytes=${5 * mebibyte}-`]);
    expect(origin.sent).toBe(size);
  });

  test.each<[string, BreakingOrigin['toRange']]>([
    ['ignores ranges', () => false],
    [
      'says that there is no such range',
      (response) => {
        response.writeHead(416, { 'Content-Range': `bytes */${size}` }).end();
        return true;
      },
    ],
    [
      'sends another range',
      (response) => {
        const fields = { ETag: '"first"', 'Content-Range': `bytes 0-9/${size}` };
        response.writeHead(206, fields).end('0123456789');
        return true;
      },
    ],
    [
      'sends a part of another one',
      (response) => {
        const range = `bytes ${5 * mebibyte}-${size - 1}/${size}`;
        response.writeHead(206, { ETag: '"second"', 'Content-Range': range }).end('no');
        return true;
      },
    ],
    [
      'forbids to store the part',
      (response) => {
        const range = `bytes ${5 * mebibyte}-${size - 1}/${size}`;
        const fields = { ETag: '"first"', 'Content-Range': range, 'Cache-Control': 'no-store' };
        response.writeHead(206, fields).end('no');
        return true;
      },
    ],
  ])('comes right when the origin %s', async (_what, toRange) => {
    const { origin, gateway } = await broken();
    origin.toRange = toRange;
    const answer = await gateway.get('/files/big');
    expect(answer.status).toBe(200);
    expect(answer.body.equals(origin.bytes())).toBe(true);
    await stored(gateway);
    const again = await gateway.get('/files/big');
    expect(again.body.equals(origin.bytes())).toBe(true);
    expect(again.field('cache-status')).toContain('hit');
  });

  test.each([
    ['a weak entity tag', { etag: 'W/"first"' }],
    ['too little of it', { breaksAt: 0.5 * mebibyte }],
  ])('is not kept with %s', async (_what, changes) => {
    const { origin, gateway, ranges } = await broken((it) => Object.assign(it, changes));
    const answer = await gateway.get('/files/big');
    expect(answer.body.equals(origin.bytes())).toBe(true);
    expect(ranges()).toEqual([undefined]);
  });

  test('is forgotten when its URL is purged', async () => {
    const { origin, gateway, ranges } = await broken();
    const url = encodeURIComponent(`${origin.url}/big`);
    await gateway.admin(`/api/entries?url=${url}`, 'DELETE');
    expect((await gateway.get('/files/big')).body.equals(origin.bytes())).toBe(true);
    expect(ranges()).toEqual([undefined]);
  });

  test('is checked before it is served: what is damaged is fetched', async () => {
    const { origin, gateway, data, start, ranges } = await broken();
    await gateway.close();
    const [name] = await readdir(join(data, 'resumable'));
    const file = await open(join(data, 'resumable', name as string), 'r+');
    await file.write(Buffer.alloc(4096), 0, 4096, 3 * mebibyte);
    await file.close();
    const next = await start();
    const answer = await next.get('/files/big');
    expect(answer.body.equals(origin.bytes())).toBe(true);
    expect(ranges().length).toBeGreaterThan(1);
    expect(origin.sent).toBeLessThan(size);
    await stored(next);
    expect((await next.get('/files/big')).field('cache-status')).toContain('hit');
  });
});

import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FakeClock } from '../support/clock.ts';
import { type TestGateway, testGateway } from '../support/gateway.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { type HttpOrigin, http2Origin } from '../support/http-origin.ts';
import { untilSettled } from '../support/settled.ts';
import { trustTestCertificate } from '../support/tls/trusted.ts';
import { until } from '../support/until.ts';

const mebibyte = 2 ** 20;
const headers = { 'Cache-Control': 'max-age=60' };

/** A gateway with a mount `/files` whose upstream speaks HTTP/2. */
async function setup(
  config: Parameters<typeof testGateway>[0] = {},
): Promise<{ origin: HttpOrigin; gateway: TestGateway }> {
  trustTestCertificate();
  const origin = await http2Origin();
  const mounts = [{ path: '/files', url: origin.url }];
  return { origin, gateway: await testGateway({ ...config, mounts }) };
}

function versions(origin: HttpOrigin): string[] {
  return origin.requests.map(({ httpVersion, method }) => `${method} ${httpVersion}`);
}

async function stored(gateway: TestGateway): Promise<void> {
  await untilSettled(gateway);
}

test('a miss, a hit, and a validation', async () => {
  const clock = new FakeClock();
  const { origin, gateway } = await setup({ now: clock.now });
  origin.serve('/a', { body: 'hello', headers: { ...headers, 'X-Kept': 'Yes' } });
  const miss = await gateway.get('/files/a');
  expect(miss.body.toString()).toBe('hello');
  expect(miss.field('x-kept')).toBe('Yes');
  await stored(gateway);
  expect((await gateway.get('/files/a')).field('cache-status')).toContain('hit');
  clock.advance(100_000);
  const validated = await gateway.get('/files/a');
  expect(validated.body.toString()).toBe('hello');
  expect(validated.field('cache-status')).toContain('fwd-status=304');
  expect(origin.requests.map(({ status }) => status)).toEqual([200, 304]);
  expect(versions(origin)).toEqual(['GET 2.0', 'GET 2.0']);
  expect(origin.connections).toBe(1);
});

test('a HEAD, a range on a miss, a 404, and what a method says that is not cached', async () => {
  const { origin, gateway } = await setup();
  origin.serve('/a', { body: { seed: 'a', size: 10_000 }, headers });
  const head = await gateway.get('/files/a', { method: 'HEAD' });
  expect([head.status, head.field('content-length'), head.body.length]).toEqual([200, '10000', 0]);
  const range = await gateway.get('/files/a', { headers: { Range: 'bytes=100-199' } });
  expect(range.status).toBe(206);
  expect(range.body.equals(generatedBytes('a', 100, 100))).toBe(true);
  expect((await gateway.get('/files/none')).status).toBe(404);
  origin.handle('/posted', async (request, response) => {
    response.end(`got ${await text(request)}`);
  });
  const posted = await gateway.get('/files/posted', { method: 'POST', body: 'body' });
  expect(posted.body.toString()).toBe('got body');
  // What is passed through untouched goes over HTTP/1.1.
  expect(versions(origin).at(-1)).toBe('POST 1.1');
  expect(new Set(versions(origin).slice(0, -1))).toEqual(
    new Set(versions(origin)[0] === 'HEAD 2.0' ? ['HEAD 2.0', 'GET 2.0'] : ['GET 2.0']),
  );
});

test('a large body, byte for byte, from the upstream and from the cache', async () => {
  const { origin, gateway } = await setup();
  const size = 24 * mebibyte;
  origin.serve('/big', { body: { seed: 'big', size }, headers });
  const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  const expected = digest(generatedBytes('big', 0, size));
  const miss = await gateway.get('/files/big');
  expect(digest(miss.body)).toBe(expected);
  await stored(gateway);
  const hit = await gateway.get('/files/big');
  expect(hit.field('cache-status')).toContain('hit');
  expect(digest(hit.body)).toBe(expected);
});

test('where bodies are large as a rule, each has a connection of its own', async () => {
  const { origin, gateway } = await setup();
  const size = 17 * mebibyte;
  for (const path of ['/first', '/second']) {
    origin.serve(path, { body: { seed: path, size }, headers });
    const answer = await gateway.get(`/files${path}`);
    expect(answer.body.equals(generatedBytes(path, 0, size))).toBe(true);
  }
  expect(versions(origin)).toEqual(['GET 2.0', 'GET 1.1']);
});

test('a large body that comes slowly is asked for in parts over HTTP/1.1 connections', async () => {
  const limits = { concurrency: undefined, ecosystems: [], connections: 4, bandwidth: undefined };
  const { origin, gateway } = await setup({ config: { limits } });
  const size = 12 * mebibyte;
  const body = generatedBytes('slow', 0, size);
  origin.handle('/slow', async (request, response) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const [first, last] = [Number(from ?? 0), Number(to ?? size - 1)];
    response.setHeader('ETag', '"v1"');
    response.setHeader('Accept-Ranges', 'bytes');
    if (from !== undefined) response.setHeader('Content-Range', `bytes ${first}-${last}/${size}`);
    response.writeHead(from === undefined ? 200 : 206, { 'Content-Length': last - first + 1 });
    for (let at = first; at <= last && response.writable; at += 100_000) {
      response.write(body.subarray(at, Math.min(at + 100_000, last + 1)));
      await setTimeout(from === undefined ? 30 : 2);
    }
    response.end();
  });
  const answer = await gateway.get('/files/slow');
  expect(answer.body.equals(body)).toBe(true);
  const [first, ...parts] = versions(origin);
  expect(first).toBe('GET 2.0');
  expect(parts.length).toBeGreaterThan(0);
  expect(new Set(parts)).toEqual(new Set(['GET 1.1']));
});

test('a client that leaves ends its own request only, and a slow one holds nobody up', async () => {
  const { origin, gateway } = await setup();
  const size = 12 * mebibyte;
  // Too private to be shared or stored: each client has a stream of its own.
  const own = { 'Cache-Control': 'no-store' };
  origin.serve('/slow', { body: { seed: 'slow', size }, headers: own });
  const piece = Buffer.alloc(mebibyte / 4);
  origin.handle('/left', (_request, response) => {
    response.writeHead(200, own);
    // Without end, as fast as it is taken.
    const pour = (): void => {
      while (response.write(piece));
    };
    response.on('drain', pour);
    pour();
  });
  origin.serve('/other', { body: { seed: 'other', size: mebibyte }, headers: own });
  const slow = await gateway.client.open(`${gateway.url}/files/slow`);
  slow.message.pause();
  const left = await gateway.client.open(`${gateway.url}/files/left`);
  left.message.once('data', () => left.message.destroy());
  left.message.resume();
  const other = await gateway.get('/files/other');
  expect(other.body.equals(generatedBytes('other', 0, mebibyte))).toBe(true);
  const chunks: Buffer[] = [];
  slow.message.on('data', (chunk: Buffer) => chunks.push(chunk));
  slow.message.resume();
  await new Promise((resolve) => slow.message.once('end', resolve));
  expect(Buffer.concat(chunks).equals(generatedBytes('slow', 0, size))).toBe(true);
  await until(() => origin.openExchanges === 0, 'the upstream is not asked for more');
  expect(new Set(versions(origin))).toEqual(new Set(['GET 2.0']));
});

test('switched off, HTTP/1.1 is spoken', async () => {
  const { origin, gateway } = await setup({ config: { upstreamHttp2: false } });
  origin.serve('/a', { body: 'hello', headers });
  expect((await gateway.get('/files/a')).body.toString()).toBe('hello');
  expect(versions(origin)).toEqual(['GET 1.1']);
});

import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { testGateway } from '../support/gateway.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { type HttpOrigin, httpOrigin } from '../support/http-origin.ts';
import { untilSettled } from '../support/settled.ts';

const size = 12 * 2 ** 20;
const body = generatedBytes('right', 0, size);
const wrong = Buffer.from(body.map((byte) => byte ^ 1));
const sha256 = createHash('sha256').update(body).digest('hex');
const path = `/dists/x/by-hash/SHA256/${sha256}`;
const etag = '"same"';

/** Serves the bytes so slowly that more than one connection pays; what was asked of it. */
async function slowly(bytes: Buffer): Promise<{ origin: HttpOrigin; asked: () => number }> {
  const origin = await httpOrigin();
  origin.handle(path, async (request, reply) => {
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const first = Number(from ?? 0);
    const last = Number(to || size - 1);
    const fields = { ETag: etag, 'Content-Length': last - first + 1 };
    if (from === undefined) reply.writeHead(200, fields);
    else reply.writeHead(206, { ...fields, 'Content-Range': `bytes ${first}-${last}/${size}` });
    for (let at = first; at <= last && !reply.destroyed; at += 100_000) {
      reply.write(bytes.subarray(at, Math.min(last + 1, at + 100_000)));
      await setTimeout(at - first < 500_000 ? 30 : 5);
    }
    reply.end();
  });
  return { origin, asked: () => origin.requests.length };
}

test('a body that mirrors brought together wrongly is held against them, and fetched again by itself', async () => {
  const home = await slowly(body);
  const liar = await slowly(wrong);
  const upstreams = [
    { url: home.origin.url, concurrency: 1 },
    { url: liar.origin.url, concurrency: 4 },
  ];
  const limits = { concurrency: undefined, ecosystems: [], connections: 6, bandwidth: undefined };
  const gateway = await testGateway({
    config: { limits },
    mounts: [{ path: '/debian', ecosystem: 'apt', url: home.origin.url, upstreams }],
  });
  let tries = 0;
  for (let right = false; !right; tries++) {
    expect(tries).toBeLessThan(5);
    const answer = await gateway.get(`/debian${path}`);
    right = !answer.aborted && answer.status === 200;
    if (right) expect(answer.body.equals(body)).toBe(true);
    else expect(answer.body.equals(wrong)).toBe(false);
  }
  expect(home.asked()).toBeGreaterThan(0);
  if (liar.asked() === 0) return;
  const { mirrors } = (await gateway.admin('/api/mirrors')) as {
    mirrors: { origin: string; faults: Record<string, number> }[];
  };
  const faults = Object.fromEntries(mirrors.map((mirror) => [mirror.origin, mirror.faults]));
  expect(faults[liar.origin.url]).toMatchObject({ 'wrong-bytes': 1 });
  expect(faults[home.origin.url]?.['wrong-bytes']).toBeUndefined();
});

test('a mirror’s wrong body is replaced behind the client’s back', async () => {
  const home = await httpOrigin();
  const liar = await httpOrigin();
  for (const [origin, bytes] of [
    [home, 'right'],
    [liar, 'wrong'],
  ] as const) {
    const hex = createHash('sha256').update('right').digest('hex');
    origin.serve(`/dists/x/by-hash/SHA256/${hex}`, { body: bytes });
  }
  const gateway = await testGateway({
    mounts: [
      {
        path: '/debian',
        ecosystem: 'apt',
        url: liar.url,
        upstreams: [{ url: liar.url }, { url: home.url }],
      },
    ],
  });
  const target = `/debian/dists/x/by-hash/SHA256/${createHash('sha256').update('right').digest('hex')}`;
  const first = await gateway.get(target);
  expect(first.aborted || first.status === 502).toBe(true);
  await untilSettled(gateway);
  const headers = { 'Cache-Control': 'only-if-cached' };
  for (;;) {
    const stored = await gateway.get(target, { headers });
    if (stored.status === 504) continue;
    expect(stored.body.toString()).toBe('right');
    break;
  }
  expect(home.requests).toHaveLength(1);
});

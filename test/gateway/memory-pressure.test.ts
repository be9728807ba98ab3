import type { ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { type TestGateway, testGateway } from '../support/gateway.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { processProbe } from '../support/process-probe.ts';
import { until } from '../support/until.ts';

const mebibyte = 2 ** 20;
const connections = 8;
const limits = { concurrency: undefined, ecosystems: [], connections, bandwidth: undefined };

/** A gateway that may have 1,000 MiB and uses as much as the test says. */
async function setup(config: Partial<Config> = {}, machine = {}) {
  const used = { rss: 100 * mebibyte, heapUsed: 0 };
  const gateway = await testGateway({
    config: { limits, memoryLimit: 1_000 * mebibyte, ...config },
    probe: {
      ...processProbe,
      memoryUsage: () => ({ ...process.memoryUsage(), ...used }),
      heapLimit: () => 2_000 * mebibyte,
      ...machine,
    },
  });
  return { gateway, used };
}

/** A scrape also looks how things stand. */
async function memoryMetrics(gateway: TestGateway): Promise<Record<string, number>> {
  const { body } = await gateway.client.send(`${gateway.adminUrl}/metrics`);
  const lines = body.toString().matchAll(/^millrace_memory_(\w+) (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name, Number(value)]));
}

const changes = (gateway: TestGateway) =>
  gateway.log().filter(({ msg }) => msg === 'memory pressure changed');

test('under pressure the memory tier shrinks, then the connections, and both come back', async () => {
  const { gateway, used } = await setup({ memory: 32 * mebibyte });
  const limit_bytes = 1_000 * mebibyte;
  const free = {
    pressure: 0,
    limit_bytes,
    tier_bound_bytes: 32 * mebibyte,
    connections_bound: 8,
  };
  expect(await memoryMetrics(gateway)).toEqual(free);
  expect(changes(gateway)).toEqual([]);
  for (const [rss, pressure, tier, bound] of [
    [760, 1, 16, 8],
    [860, 2, 8, 4],
    [940, 3, 2, 1],
    [800, 2, 8, 4],
    [700, 1, 16, 8],
  ] as const) {
    used.rss = rss * mebibyte;
    expect(await memoryMetrics(gateway)).toEqual({
      pressure,
      limit_bytes,
      tier_bound_bytes: tier * mebibyte,
      connections_bound: bound,
    });
  }
  used.rss = 100 * mebibyte;
  expect(await memoryMetrics(gateway)).toEqual(free);
  expect(changes(gateway)).toMatchObject([
    {
      level: 'warn',
      before: 'none',
      pressure: 'elevated',
      rss: 760 * mebibyte,
      limit: limit_bytes,
    },
    { level: 'warn', before: 'elevated', pressure: 'high', tierBound: 8 * mebibyte },
    { level: 'warn', before: 'high', pressure: 'critical', connections: 1 },
    { level: 'info', before: 'critical', pressure: 'high' },
    { level: 'info', before: 'high', pressure: 'elevated' },
    { level: 'info', before: 'elevated', pressure: 'none', connections },
  ]);
});

test('one line for a change of level, none while it stays', async () => {
  const { gateway, used } = await setup();
  used.rss = 800 * mebibyte;
  for (let i = 0; i < 3; i++) await memoryMetrics(gateway);
  expect(changes(gateway)).toHaveLength(1);
});

test('nobody has to ask: the memory is looked at by itself', async () => {
  const { gateway, used } = await setup();
  used.rss = 950 * mebibyte;
  await until(() => changes(gateway).length === 1);
});

test('a heap that nears its own limit is pressure, too', async () => {
  const { gateway, used } = await setup();
  used.heapUsed = 1_900 * mebibyte;
  expect(await memoryMetrics(gateway)).toMatchObject({ pressure: 3 });
});

test.each([
  ['of a container', { constrainedMemory: () => 400, totalMemory: () => 1_000 }, 400],
  ['of the machine, a share', { constrainedMemory: () => 0, totalMemory: () => 1_000 }, 750],
  [
    'of the machine where the container allows more',
    { constrainedMemory: () => 2 ** 64, totalMemory: () => 1_000 },
    750,
  ],
])('without a setting the limit is that %s', async (_whose, machine, limit) => {
  const { gateway } = await setup({ memoryLimit: undefined }, machine);
  expect(await memoryMetrics(gateway)).toMatchObject({ limit_bytes: limit });
});

test('another memoryLimit counts from the reload on', async () => {
  const { gateway } = await setup();
  const memoryLimit = 120 * mebibyte;
  expect(await gateway.gateway.reload({ ...gateway.config, memoryLimit })).toEqual([]);
  expect(await memoryMetrics(gateway)).toMatchObject({ limit_bytes: memoryLimit, pressure: 1 });
});

test('what gave way in memory is served from disk', async () => {
  const origin = await httpOrigin();
  const { gateway, used } = await setup({ memory: 2 * mebibyte });
  const bodies = Array.from({ length: 10 }, (_, i) => generatedBytes(`body ${i}`, 0, 100_000));
  for (const [i, body] of bodies.entries()) {
    origin.serve(`/${i}`, { body, headers: { 'Cache-Control': 'max-age=60' } });
    const get = () => gateway.get(`${origin.url}/${i}`);
    await until(async () => (await get()).field('cache-status')?.includes('hit') === true);
  }
  const tiers = async () => {
    const { tiers } = (await gateway.admin('/api/stats')) as {
      tiers: { name: string; bytes: number; entries: number }[];
    };
    return tiers[0];
  };
  expect((await tiers())?.bytes).toBeGreaterThan(mebibyte / 2);
  used.rss = 950 * mebibyte;
  await memoryMetrics(gateway);
  expect((await tiers())?.bytes).toBeLessThanOrEqual(mebibyte / 8);
  for (const [i, body] of bodies.entries()) {
    const answer = await gateway.get(`${origin.url}/${i}`);
    expect(answer.field('cache-status')).toContain('hit');
    expect(answer.body.equals(body)).toBe(true);
  }
  expect((await tiers())?.bytes).toBeLessThanOrEqual(mebibyte / 8);
});

test('under the gravest pressure a large object comes over one connection, afterwards over several', async () => {
  const size = 12 * mebibyte;
  const body = generatedBytes('large', 0, size);
  const origin = await httpOrigin();
  /** So slow at first that more than one connection seems worthwhile. */
  const pour = async (reply: ServerResponse, bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length && !reply.destroyed; at += 100_000) {
      reply.write(bytes.subarray(at, at + 100_000));
      await setTimeout(at < 500_000 ? 30 : 3);
    }
    reply.end();
  };
  for (const path of ['/one', '/two']) {
    origin.handle(path, ({ headers: { range = '' } }, reply) => {
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
      const [first, last] = from === undefined ? [0, size - 1] : [Number(from), Number(to)];
      reply.writeHead(from === undefined ? 200 : 206, {
        ETag: '"v1"',
        'Content-Length': last - first + 1,
        ...(from !== undefined && { 'Content-Range': `bytes ${first}-${last}/${size}` }),
      });
      return pour(reply, body.subarray(first, last + 1));
    });
  }
  const { gateway, used } = await setup();
  used.rss = 950 * mebibyte;
  await memoryMetrics(gateway);
  expect((await gateway.get(`${origin.url}/one`)).body.equals(body)).toBe(true);
  expect(origin.requests).toHaveLength(1);
  used.rss = 100 * mebibyte;
  await memoryMetrics(gateway);
  expect((await gateway.get(`${origin.url}/two`)).body.equals(body)).toBe(true);
  expect(origin.requests.length).toBeGreaterThan(2);
});

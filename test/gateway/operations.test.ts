import { once } from 'node:events';
import { chmod, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FakeClock } from '../support/clock.ts';
import { type TestGateway, temporaryFolder, testGateway } from '../support/gateway.ts';
import { type HttpOrigin, httpOrigin } from '../support/http-origin.ts';
import { head, hold } from '../support/replies.ts';
import { scriptedOrigin } from '../support/scripted-origin.ts';
import { until } from '../support/until.ts';

const headers = { 'Cache-Control': 'max-age=60' };

async function setup(config = {}) {
  const origin = await httpOrigin();
  origin.serve('/a', { body: 'hello', headers });
  origin.serve('/sub/b', { body: 'world', headers });
  const gateway = await testGateway({ config, mounts: [{ path: '/files', url: origin.url }] });
  return { origin, gateway };
}

/** Fetches and waits until it is a hit. */
async function store(gateway: TestGateway, path: string): Promise<void> {
  while (!(await gateway.get(path)).field('cache-status')?.includes('hit'));
}

function entriesOf(gateway: TestGateway, origin: HttpOrigin, path: string) {
  return gateway.admin(`/api/entries?url=${encodeURIComponent(`${origin.url}${path}`)}`);
}

describe('the admin side', () => {
  test('shows the entries of a URL with their age and freshness', async () => {
    const clock = new FakeClock();
    const origin = await httpOrigin();
    const date = new Date(clock.now()).toUTCString();
    origin.serve('/a', { body: 'hello', headers: { ...headers, Date: date } });
    const gateway = await testGateway({
      now: clock.now,
      mounts: [{ path: '/files', url: origin.url }],
    });
    await store(gateway, '/files/a');
    clock.advance(20_000);
    expect(await entriesOf(gateway, origin, '/a')).toMatchObject({
      entries: [{ status: 200, size: 5, age: 20, ttl: 40, fresh: true, mount: '/files' }],
    });
  });

  test.each([
    ['url', (origin: HttpOrigin) => `url=${encodeURIComponent(`${origin.url}/a`)}`, 1, ['/a']],
    [
      'prefix',
      (origin: HttpOrigin) => `prefix=${encodeURIComponent(`${origin.url}/sub/`)}`,
      1,
      ['/sub/b'],
    ],
    ['mount', () => 'mount=/files', 2, ['/a', '/sub/b']],
  ])('purges by %s', async (_by, query, purged, gone) => {
    const { origin, gateway } = await setup();
    await store(gateway, '/files/a');
    await store(gateway, '/files/sub/b');
    expect(await gateway.admin(`/api/entries?${query(origin)}`, 'DELETE')).toEqual({ purged });
    for (const path of ['/a', '/sub/b']) {
      const { entries } = (await entriesOf(gateway, origin, path)) as { entries: unknown[] };
      expect(entries).toHaveLength(gone.includes(path) ? 0 : 1);
      const again = await gateway.get(`/files${path}`);
      expect(again.field('cache-status')).toContain(gone.includes(path) ? 'miss' : 'hit');
    }
  });

  test('counts what went where, once, in stats and metrics', async () => {
    const { gateway } = await setup();
    await store(gateway, '/files/a');
    const { traffic, tiers } = (await gateway.admin('/api/stats')) as {
      traffic: { requests: { byOutcome: Record<string, number> }; bytes: Record<string, number> };
      tiers: { name: string; bytes: number }[];
    };
    expect(traffic.requests.byOutcome.miss).toBe(1);
    expect(traffic.bytes.fromUpstreams).toBe(5);
    expect(tiers.map(({ name }) => name)).toEqual(['memory', 'disk']);
    const { body } = await gateway.client.send(`${gateway.adminUrl}/metrics`);
    expect(body.toString()).toContain(
      'millrace_requests_total{surface="mount",ecosystem="generic",outcome="miss"} 1',
    );
    expect(body.toString()).toContain('millrace_store_healthy{tier="disk"} 1');
  });

  test('says one line a request with where it came from and how long it took', async () => {
    const { origin, gateway } = await setup();
    await gateway.get('/files/a');
    const line = gateway.log().find(({ msg }) => msg === 'request');
    expect(line).toMatchObject({
      method: 'GET',
      target: '/files/a',
      mount: '/files',
      ecosystem: 'generic',
      outcome: 'miss',
      status: 200,
      bytesOut: 5,
      bytesIn: 5,
      upstream: origin.url,
    });
    expect(line).toHaveProperty('upstreamFirstByteMs');
    expect(line).toHaveProperty('durationMs');
  });
});

describe('a reload', () => {
  test('changes mounts between two requests and keeps what is stored', async () => {
    const { origin, gateway } = await setup();
    await store(gateway, '/files/a');
    const [mount] = gateway.config.mounts;
    if (!mount) throw new Error('no mount');
    const waiting = await gateway.gateway.reload({
      ...gateway.config,
      memory: 1_000_000,
      mounts: [{ ...mount, path: '/moved' }],
    });
    expect(waiting).toEqual(['memory']);
    expect((await gateway.get('/files/a')).status).toBe(404);
    expect((await gateway.get('/moved/a')).field('cache-status')).toContain('hit');
    expect(origin.requests).toHaveLength(1);
  });
});

describe('a shutdown', () => {
  test('finishes what is under way and takes nothing new', async () => {
    const origin = await scriptedOrigin();
    const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
    const script = origin.expect(
      'GET',
      '/a',
      head('200 OK', { 'Content-Length': '10' }),
      '01234',
      hold,
      '56789',
    );
    const { message } = await gateway.client.open(`${gateway.url}/files/a`);
    await new Promise((resolve) => message.once('data', resolve));
    const closed = gateway.close();
    await expect(gateway.get('/files/b')).rejects.toThrow();
    const rest = new Promise((resolve) => message.once('data', resolve));
    script.release();
    expect(String(await rest)).toBe('56789');
    await closed;
  });

  test('waits for no connection on which nothing was ever said', async () => {
    const gateway = await testGateway({ mounts: [], config: { shutdownGrace: 600_000 } });
    const silent = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    const ended = new Promise((resolve) => silent.once('close', resolve));
    silent.on('error', () => silent.destroy()).resume();
    await once(silent, 'connect');
    // Whoever came later has been answered: the gateway has taken that connection, too.
    await gateway.get('/');
    await gateway.close();
    await ended;
  });

  test('ends what does not finish within the grace time', async () => {
    const origin = await scriptedOrigin();
    const gateway = await testGateway({
      mounts: [{ path: '/files', url: origin.url }],
      config: { shutdownGrace: 50 },
    });
    origin.expect('GET', '/a', head('200 OK', { 'Content-Length': '10' }), '01234', hold);
    const { message } = await gateway.client.open(`${gateway.url}/files/a`);
    const broken = new Promise((resolve) => message.once('error', resolve));
    await gateway.close();
    await broken;
  });
});

describe('a store in trouble never reaches a client', () => {
  test('a corrupt database is put aside, and said', async () => {
    const data = await temporaryFolder();
    await writeFile(
      join(data, 'millrace.db'),
      'this is not a database, but it is long enough'.repeat(100),
    );
    const { gateway } = await setup({ data });
    expect((await gateway.get('/files/a')).body.toString()).toBe('hello');
    expect(gateway.log().some(({ msg }) => msg === 'disk store in trouble')).toBe(true);
    await store(gateway, '/files/a');
  });

  test('a folder that cannot be used: requests work, health, log and metric say why', async () => {
    const data = join(await temporaryFolder(), 'file');
    await writeFile(data, 'not a folder');
    await chmod(data, 0o600);
    const { gateway } = await setup({ data });
    expect((await gateway.get('/files/a')).body.toString()).toBe('hello');
    const health = await gateway.admin('/healthz');
    expect(health).toMatchObject({ status: 'degraded', checks: { store: { ok: false } } });
    const { body } = await gateway.client.send(`${gateway.adminUrl}/metrics`);
    expect(body.toString()).toContain('millrace_store_healthy{tier="disk"} 0');
    expect(gateway.log().some(({ msg }) => msg === 'disk store in trouble')).toBe(true);
  });

  test('a stored body that cannot be read is fetched anew', async () => {
    const data = await temporaryFolder();
    const { origin, gateway: before } = await setup({ data, memory: 0 });
    origin.serve('/large', { body: { seed: 'large', size: 300_000 }, headers });
    const first = await before.get('/files/large');
    await store(before, '/files/large');
    // What is open is read on, whatever becomes of its name.
    await before.close();
    // In place of its file there is now a folder.
    for (const name of await readdir(join(data, 'bodies'), { recursive: true })) {
      const file = join(data, 'bodies', name);
      if (!(await stat(file)).isFile()) continue;
      await rm(file);
      await mkdir(file);
    }
    const gateway = await testGateway({
      config: { data, memory: 0 },
      mounts: [{ path: '/files', url: origin.url }],
    });
    const again = await gateway.get('/files/large');
    expect(again.status).toBe(200);
    expect(again.body.equals(first.body)).toBe(true);
    expect(again.field('cache-status')).toContain('fwd=');
  });

  test('a body larger than the disk is served whole, to several clients from one fetch', async () => {
    const { origin, gateway } = await setup({ disk: 1_000_000, memory: 1_000_000 });
    origin.serve('/big', { body: { seed: 'big', size: 5_000_000 }, headers });
    const answers = await Promise.all([1, 2, 3].map(() => gateway.get('/files/big')));
    for (const answer of answers) expect(answer.body).toHaveLength(5_000_000);
    expect(answers[0]?.field('cache-status')).not.toContain('stored');
    expect(origin.bytesSent).toBeLessThanOrEqual(3 * 5_000_000);
  });
});

test('a package document is rewritten, tagged and answered with 304 without any store', async () => {
  const data = join(await temporaryFolder(), 'file');
  await writeFile(data, 'not a folder');
  const origin = await httpOrigin();
  const tarball = `${origin.url}/a/-/a-1.0.0.tgz`;
  const padding = 'x'.repeat(3_000_000);
  const document = JSON.stringify({ padding, versions: { '1.0.0': { dist: { tarball } } } });
  origin.serve('/a', { body: document, headers });
  const gateway = await testGateway({
    config: { data, memory: 0 },
    mounts: [{ path: '/npm', ecosystem: 'npm', url: origin.url }],
  });
  const answers = await Promise.all([1, 2, 3].map(() => gateway.get('/npm/a')));
  for (const { body, aborted } of answers) {
    expect(aborted).toBe(false);
    expect(body.toString()).toBe(document.replace(origin.url, `${gateway.url}/npm`));
  }
  origin.serve('/small', { body: '{"versions":{}}', etag: false, headers });
  const small = await gateway.get('/npm/small');
  const headersOf = { 'If-None-Match': small.field('etag') ?? '' };
  expect((await gateway.get('/npm/small', { headers: headersOf })).status).toBe(304);
  const { fills } = (await gateway.admin('/api/stats')) as { fills: { active: number } };
  expect(fills.active).toBe(0);
});

test('a client that leaves before there is an answer is told apart in the log', async () => {
  const origin = await scriptedOrigin();
  const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
  const script = origin.expect('GET', '/a', hold);
  const request = gateway.client.open(`${gateway.url}/files/a`);
  await script.requested;
  gateway.client.leave();
  await expect(request).rejects.toThrow();
  await until(() => gateway.log().some(({ msg }) => msg === 'request'), 'the log line');
  expect(gateway.log().find(({ msg }) => msg === 'request')).toMatchObject({
    aborted: true,
    error: 'client_gone',
  });
});

describe('the gateway’s own URL in documents', () => {
  const document = '{"versions":{"1.0.0":{"dist":{"tarball":"URL/a/-/a-1.0.0.tgz"}}}}';
  const ask = async (config: object, fields: Record<string, string>) => {
    const origin = await httpOrigin();
    origin.serve('/a', { body: document.replace('URL', origin.url), headers });
    const gateway = await testGateway({
      config,
      mounts: [{ path: '/npm', ecosystem: 'npm', url: origin.url }],
    });
    const { body } = await gateway.get('/npm/a', { headers: fields });
    return /"tarball":"(.*)\/a\/-/.exec(body.toString())?.[1];
  };

  test('is the configured one', async () => {
    const config = { publicUrl: 'https://cache.example.com' };
    expect(await ask(config, { Host: 'other.test' })).toBe('https://cache.example.com/npm');
  });

  test('is what a trusted forwarder says', async () => {
    const config = { trustedProxies: ['127.0.0.0/8'] };
    const forwarded = { Forwarded: 'for=1.2.3.4;proto=https;host="cache.test"' };
    expect(await ask(config, forwarded)).toBe('https://cache.test/npm');
    const older = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'cache.test:444' };
    expect(await ask(config, older)).toBe('https://cache.test:444/npm');
  });

  test('is the request’s own host, whatever others claim', async () => {
    const forged = {
      Host: 'own.test:1',
      'X-Forwarded-Host': 'evil.test',
      Forwarded: 'host=evil.test',
    };
    expect(await ask({}, forged)).toBe('http://own.test:1/npm');
  });
});

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fieldValue } from '../../src/core/raw-headers.ts';
import { temporaryFolder, testGateway } from '../support/gateway.ts';
import { type HttpOrigin, httpOrigin } from '../support/http-origin.ts';
import { close, head, response } from '../support/replies.ts';
import { scriptedOrigin } from '../support/scripted-origin.ts';
import { until } from '../support/until.ts';

const fresh = { 'Cache-Control': 'max-age=60' };

/** An origin that answers every path below `/f` with its own name, until it is told otherwise. */
interface Mirror {
  readonly origin: HttpOrigin;
  status: number;
  headers: Readonly<Record<string, string>>;
  /** Called before each answer. */
  delay: () => void;
}

async function mirror(name: string): Promise<Mirror> {
  const origin = await httpOrigin();
  const state: Mirror = { origin, status: 200, headers: fresh, delay: () => {} };
  for (let i = 0; i < 60; i += 1) {
    origin.handle(`/f${i}`, (_request, response) => {
      state.delay();
      response.writeHead(state.status, { ...state.headers, 'Content-Length': name.length });
      response.end(name);
    });
  }
  return state;
}

function mountOf(...mirrors: readonly Mirror[]) {
  const [first] = mirrors;
  const upstreams = mirrors.map(({ origin }) => ({ url: origin.url }));
  return { path: '/files', url: first?.origin.url ?? '', upstreams };
}

describe('several upstreams of a mount', () => {
  test('one that begins to answer 503 is left within ten requests, and no client sees it', async () => {
    const a = await mirror('a');
    const b = await mirror('b');
    const gateway = await testGateway({ mounts: [mountOf(a, b)] });
    for (let i = 0; i < 10; i += 1) await gateway.get(`/files/f${i}`);
    const used = a.origin.requests.length > b.origin.requests.length ? a : b;
    used.status = 503;
    const before = used.origin.requests.length;
    for (let i = 10; i < 30; i += 1) {
      expect((await gateway.get(`/files/f${i}`)).status).toBe(200);
    }
    expect(used.origin.requests.length - before).toBeLessThanOrEqual(10);
  });

  test('Retry-After keeps requests away for that long', async () => {
    const a = await mirror('a');
    const b = await mirror('b');
    let now = Date.UTC(2026, 0, 1);
    const gateway = await testGateway({ mounts: [mountOf(a, b)], now: () => now });
    a.status = 429;
    a.headers = { 'Retry-After': '600' };
    for (let i = 0; i < 5; i += 1) expect((await gateway.get(`/files/f${i}`)).status).toBe(200);
    now += 599_000;
    await gateway.get('/files/f6');
    expect(a.origin.requests).toHaveLength(1);
    now += 2_000;
    await gateway.get('/files/f7');
    expect(a.origin.requests).toHaveLength(2);
  });

  test('a body that breaks is resumed only where the same representation is', async () => {
    const a = await scriptedOrigin();
    const b = await scriptedOrigin();
    const tagged = { ...fresh, ETag: '"a"' };
    a.expect('GET', '/f', head('200 OK', { ...tagged, 'Content-Length': 8 }), 'abcd', close);
    b.expect('GET', '/f', response('200 OK', { ...fresh, ETag: '"b"' }, 'ABCDEFGH'));
    const rest = { ...tagged, 'Content-Range': 'bytes 4-7/8' };
    a.expect('GET', '/f', response('206 Partial Content', rest, 'efgh'));
    const gateway = await testGateway({
      mounts: [{ path: '/files', url: a.url, upstreams: [{ url: a.url }, { url: b.url }] }],
    });
    const answer = await gateway.get('/files/f');
    expect(answer.body.toString()).toBe('abcdefgh');
    expect(answer.aborted).toBe(false);
    const { mirrors } = (await gateway.admin('/api/mirrors')) as { mirrors: object[] };
    expect(mirrors).toContainEqual(
      expect.objectContaining({ origin: b.url, faults: { 'changed-validator': 1 } }),
    );
  });

  test('the response and the log say which one served', async () => {
    const a = await mirror('a');
    const b = await mirror('b');
    const gateway = await testGateway({ mounts: [mountOf(a, b)] });
    const answer = await gateway.get('/files/f1');
    expect(answer.field('server-timing')).toMatch(
      new RegExp(`^mirror; desc="127\\.0\\.0\\.1:${a.origin.port}"; dur=\\d+$`),
    );
    expect((await gateway.get('/files/f1')).field('server-timing')).toBeUndefined();
    await until(() => gateway.log().some(({ msg }) => msg === 'request'), 'the request is logged');
    expect(gateway.log().find(({ msg }) => msg === 'request')).toMatchObject({
      mirror: a.origin.url,
    });
  });

  test('with one upstream there is nothing to say', async () => {
    const a = await mirror('a');
    const gateway = await testGateway({ mounts: [mountOf(a)] });
    expect((await gateway.get('/files/f1')).field('server-timing')).toBeUndefined();
  });

  test('one that is out of reach at the start is a warning, and no obstacle', async () => {
    const a = await mirror('a');
    const gone = await mirror('gone');
    await gone.origin.close();
    const gateway = await testGateway({ mounts: [mountOf(a, gone)] });
    const warned = () =>
      gateway.log().find(({ msg }) => msg === 'mirror cannot be reached') as
        | { mirror: string; level: unknown; err: { code: string } }
        | undefined;
    await until(() => warned() !== undefined, 'the warning');
    expect(warned()).toMatchObject({
      mirror: gone.origin.url,
      err: { code: 'connection_refused' },
    });
    // It was connected to, and no more.
    expect(a.origin.requests).toHaveLength(0);
    for (let i = 0; i < 4; i += 1) expect((await gateway.get(`/files/f${i}`)).status).toBe(200);
    expect(a.origin.requests).toHaveLength(4);
  });

  test('what was learned survives a restart; a damaged file is a warning and a new beginning', async () => {
    const a = await mirror('a');
    const b = await mirror('b');
    const data = await temporaryFolder();
    const options = { mounts: [mountOf(a, b)], config: { data } };
    const first = await testGateway(options);
    for (let i = 0; i < 5; i += 1) await first.get(`/files/f${i}`);
    await first.close();
    const second = await testGateway(options);
    const { mirrors } = (await second.admin('/api/mirrors')) as { mirrors: object[] };
    expect(mirrors).toContainEqual(
      expect.objectContaining({
        origin: a.origin.url,
        classes: { tiny: expect.objectContaining({ failureRate: 0 }) },
      }),
    );
    await second.close();
    const file = join(data, 'mirrors.json');
    await writeFile(file, (await readFile(file, 'utf8')).slice(0, -9));
    const third = await testGateway(options);
    expect(third.log()).toContainEqual(
      expect.objectContaining({
        msg: 'what was known of the mirrors cannot be read: it is learned anew',
      }),
    );
    expect((await third.get('/files/f9')).status).toBe(200);
    await third.close();
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ version: 1 });
  });
});

describe('rules', () => {
  const sha256 = '230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5';
  const path = `/deb/dists/x/by-hash/SHA256/${sha256}`;

  async function setup(body: string) {
    const origin = await httpOrigin();
    const other = await httpOrigin();
    const resource = { body: 'body', headers: fresh };
    origin.serve(path, resource);
    other.serve(`/mirror${path}`, { ...resource, body });
    for (const name of ['1', '2', '3']) origin.serve(`/deb/dists/x/${name}`, resource);
    const gateway = await testGateway({
      mounts: [{ path: '/deb', ecosystem: 'apt', url: `${origin.url}/deb`, indexes: 'ordered' }],
      config: {
        mirrors: [{ match: `${origin.url}/{path*}`, to: [{ url: `${other.url}/mirror/{path}` }] }],
      },
    });
    const learn = async () => {
      await gateway.get(path, { headers: { Authorization: 'Bearer s' } });
      await gateway.admin(`/api/entries?url=${encodeURIComponent(origin.url + path)}`, 'DELETE');
    };
    return { origin, other, gateway, learn };
  }

  test('send what has a digest to a mirror of somebody else, without credentials', async () => {
    const { other, gateway, learn } = await setup('body');
    await learn();
    expect(other.requests).toEqual([]);
    const headers = { 'X-Token': 's', 'User-Agent': 'apt' };
    await gateway.get(path, { headers });
    await gateway.admin(`/api/entries?mount=${encodeURIComponent('/deb')}`, 'DELETE');
    expect((await gateway.get(path, { headers })).body.toString()).toBe('body');
    const [seen] = other.requests;
    const names = seen?.headers.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
    expect(names?.sort()).toEqual(['accept-encoding', 'connection', 'host', 'user-agent', 'via']);
    expect(fieldValue(seen?.headers ?? [], 'authorization')).toBeUndefined();
  });

  test('bytes that are not what the digest says are aborted, and the mirror is left', async () => {
    const { gateway, other } = await setup('evil');
    await gateway.get(path);
    await gateway.admin(`/api/entries?mount=${encodeURIComponent('/deb')}`, 'DELETE');
    const wrong = await gateway.get(path);
    expect(other.requests).toHaveLength(1);
    expect(wrong.body.toString()).not.toBe('evil');
    expect(wrong.aborted || wrong.status === 502).toBe(true);
    const { mirrors } = (await gateway.admin('/api/mirrors')) as { mirrors: object[] };
    expect(mirrors).toContainEqual(
      expect.objectContaining({ origin: other.url, state: 'open', faults: { 'wrong-bytes': 1 } }),
    );
    expect((await gateway.get(path)).body.toString()).toBe('body');
  });

  test('leave documents that change to the origin', async () => {
    const { gateway, other } = await setup('body');
    for (const name of ['1', '2', '3']) await gateway.get(`/deb/dists/x/${name}`);
    expect(other.requests).toEqual([]);
  });
});

describe('limits', () => {
  test('requests beyond the places queue and are served, one object after the other', async () => {
    const origin = await httpOrigin();
    let inside = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    for (let i = 0; i < 6; i += 1) {
      origin.handle(`/f${i}`, async (_request, response) => {
        inside += 1;
        most = Math.max(most, inside);
        await new Promise<void>((resolve) => waiting.push(resolve));
        inside -= 1;
        response.end('done');
      });
    }
    const gateway = await testGateway({
      mounts: [
        { path: '/files', url: origin.url, upstreams: [{ url: origin.url, concurrency: 2 }] },
      ],
    });
    const answers = Array.from({ length: 6 }, (_, i) => gateway.get(`/files/f${i}`));
    for (let served = 0; served < 6; served += 1) {
      const both = Math.min(2, 6 - served);
      await until(() => waiting.length === both, 'all places are taken');
      waiting.shift()?.();
    }
    for (const answer of answers) expect((await answer).status).toBe(200);
    expect(most).toBe(2);
  });

  test('bandwidth is held by waiting on the socket', async () => {
    const origin = await httpOrigin();
    const size = 6 * 2 ** 20;
    origin.serve('/big', { body: { seed: 'big', size }, headers: fresh });
    const bandwidth = 20 * 2 ** 20;
    const gateway = await testGateway({
      mounts: [{ path: '/files', url: origin.url }],
      config: { limits: { concurrency: undefined, ecosystems: [], connections: 1, bandwidth } },
    });
    const started = performance.now();
    expect((await gateway.get('/files/big')).body).toHaveLength(size);
    // Never sooner than the rate allows: less the 2 MiB that may come at once, and the last read, of
    // 1 MiB at most, which is paid for by what comes next.
    expect(performance.now() - started).toBeGreaterThanOrEqual(
      ((size - 2 ** 21 - 2 ** 20) / bandwidth) * 900,
    );
  });
});

describe('GET /api/explain', () => {
  test('names the candidates, their expected times, the choice and why', async () => {
    const a = await mirror('a');
    const b = await mirror('b');
    let now = Date.UTC(2026, 0, 1);
    const gateway = await testGateway({ mounts: [mountOf(a, b)], now: () => now });
    b.delay = () => {
      now += 50;
    };
    const ask = () => gateway.admin(`/api/explain?url=${encodeURIComponent(`${a.origin.url}/f1`)}`);
    expect(await ask()).toMatchObject({
      mode: 'measured',
      choice: `${a.origin.url}/f1`,
      reason: 'nothing is known of any mirror yet: the nearest, else the first one configured',
      candidates: [{ expectedMs: null }, { expectedMs: null }],
    });
    await gateway.get('/files/f1');
    a.status = 503;
    for (let i = 2; i < 12; i += 1) await gateway.get(`/files/f${i}`);
    const explained = await ask();
    const [, left] = explained.candidates as { parts: { failureRate: number } }[];
    expect(left?.parts.failureRate).toBeGreaterThan(0);
    expect(explained).toMatchObject({
      choice: `${b.origin.url}/f1`,
      expectedBytes: 1,
      sizeClass: 'tiny',
      candidates: [
        { origin: b.origin.url, state: 'closed', parts: { failureRate: 0 } },
        { origin: a.origin.url },
      ],
    });
  });

  test('says why there is nothing to explain', async () => {
    const gateway = await testGateway({ config: { forwardProxy: { allow: ['127.0.0.1'] } } });
    expect(await gateway.admin('/api/explain')).toMatchObject({ status: 400 });
    const inside = encodeURIComponent('http://10.0.0.1/x');
    expect(await gateway.admin(`/api/explain?url=${inside}`)).toMatchObject({
      status: 404,
      detail: expect.stringContaining('private'),
    });
  });
});

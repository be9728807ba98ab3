import { text } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { untilSettled } from '../support/settled.ts';

const fresh = { 'Cache-Control': 'public, max-age=300' };

async function setup() {
  const origin = await httpOrigin();
  const gateway = await testGateway({
    mounts: [{ path: '/npm', ecosystem: 'npm', url: origin.url }],
  });
  return { origin, gateway };
}

describe('an audit', () => {
  test('asks the registry each time, with the body as npm compressed it', async () => {
    const { origin, gateway } = await setup();
    const asked: string[] = [];
    origin.handle('/-/npm/v1/security/advisories/bulk', async (request, reply) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      asked.push(`${request.headers['content-encoding']} ${gunzipSync(Buffer.concat(chunks))}`);
      reply.writeHead(200, { ...fresh, 'Content-Type': 'application/json' }).end('{"nail":[]}');
    });
    const body = gzipSync('{"nail":["1.0.0"]}');
    const headers = { 'Content-Encoding': 'gzip', 'Content-Type': 'application/json' };
    for (let i = 0; i < 2; i++) {
      const path = '/npm/-/npm/v1/security/advisories/bulk';
      const answer = await gateway.get(path, { method: 'POST', body, headers });
      expect(answer.body.toString()).toBe('{"nail":[]}');
    }
    expect(asked).toEqual(Array(2).fill('gzip {"nail":["1.0.0"]}'));
  });
});

describe('services of the registry', () => {
  test.each([
    ['GET', '/-/ping'],
    ['GET', '/-/whoami'],
    ['GET', '/-/v1/search?text=nail'],
    ['GET', '/-/npm/v1/user'],
    ['GET', '/-/package/@tools%2fnail/dist-tags'],
    ['PUT', '/-/user/org.couchdb.user:somebody'],
    ['POST', '/-/v1/login'],
    ['DELETE', '/-/user/token/npm_abc'],
  ])('%s %s passes through with the client’s token, each time', async (method, path) => {
    const { origin, gateway } = await setup();
    origin.handle(path, async (request, reply) => {
      await text(request);
      reply.writeHead(200, fresh).end(request.headers.authorization);
    });
    for (const token of ['Bearer a', 'Bearer b']) {
      const headers = { Authorization: token };
      const answer = await gateway.get(`/npm${path}`, { method, headers });
      expect(answer.body.toString()).toBe(token);
    }
  });

  test.each(['/-/npm/v1/keys', '/-/npm/v1/attestations/@tools%2fnail@1.0.0'])(
    '%s is kept as long as it says',
    async (path) => {
      const { origin, gateway } = await setup();
      origin.serve(path, { body: '{"keys":[]}', headers: fresh });
      for (let i = 0; i < 2; i++) {
        expect((await gateway.get(`/npm${path}`)).body.toString()).toBe('{"keys":[]}');
      }
      expect(origin.requests).toHaveLength(1);
    },
  );
});

describe('a scope’s slash', () => {
  test.each([
    ['document', ['/@tools%2fnail', '/@tools%2Fnail', '/@tools/nail'], '/@tools%2fnail'],
    [
      'tarball',
      ['/@tools/nail/-/nail-1.0.0.tgz', '/@tools%2fnail/-/nail-1.0.0.tgz'],
      '/@tools/nail/-/nail-1.0.0.tgz',
    ],
  ])('in any spelling leads to one entry of a %s, by mount and proxy', async (_, paths, asked) => {
    const { origin, gateway } = await setup();
    origin.serve(asked, { body: '{"name":"@tools/nail"}', headers: fresh });
    for (const path of paths) {
      for (const target of [`/npm${path}`, `${origin.url}${path}`]) {
        expect((await gateway.get(target)).body.toString()).toBe('{"name":"@tools/nail"}');
        await untilSettled(gateway);
      }
    }
    expect(origin.requests.map(({ target }) => target)).toEqual([asked]);
  });
});

test('what pnpm asks by HEAD before an install by lockfile is answered from the document', async () => {
  const { origin, gateway } = await setup();
  const body = '{"name":"nail"}';
  const headers = { ...fresh, Vary: 'Accept, Accept-Encoding' };
  origin.serve('/nail', { body, headers, lastModified: 'Thu, 01 Jan 2026 00:00:00 GMT' });
  const agent = { 'User-Agent': 'pnpm/12.21.0 npm/? node/? linux x64' };
  const probe = { headers: { ...agent, Accept: '*/*' }, method: 'HEAD' };
  const short = 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*';
  for (let i = 0; i < 2; i++) {
    const { status, field } = await gateway.get('/npm/nail', probe);
    expect([status, field('last-modified')]).toEqual([200, 'Thu, 01 Jan 2026 00:00:00 GMT']);
    await untilSettled(gateway);
    const answer = await gateway.get('/npm/nail', { headers: { ...agent, Accept: short } });
    expect(answer.body.toString()).toBe(body);
  }
  expect(origin.requests).toHaveLength(1);
});

describe('what a write changes', () => {
  test.each([
    ['PUT', '/-/package/@tools%2fnail/dist-tags/latest'],
    ['DELETE', '/-/package/@tools%2fnail/dist-tags/old'],
    ['PUT', '/@tools%2fnail'],
    ['PUT', '/@tools%2fnail/-rev/1-abc'],
    ['DELETE', '/@tools/nail/-/nail-1.0.0.tgz/-rev/1-abc'],
  ])('%s %s: the next reader gets the new document', async (method, path) => {
    const { origin, gateway } = await setup();
    const document = '/@tools%2fnail';
    const serve = (body: string): void => origin.serve(document, { body, headers: fresh });
    const read = async (): Promise<string> =>
      (await gateway.get(`/npm${document}`)).body.toString();
    serve('{"_rev":"1"}');
    origin.serve('/board', { body: '{}', headers: fresh });
    await gateway.get('/npm/board');
    expect(await read()).toBe('{"_rev":"1"}');
    await untilSettled(gateway);

    const reading = origin.handlerOf(document);
    origin.handle(path, (request, reply) =>
      request.method === 'GET' ? reading?.(request, reply) : void reply.writeHead(201).end('{}'),
    );
    const written = await gateway.get(`/npm${path}`, {
      method,
      ...(method === 'PUT' && { body: '"2.0.0"' }),
    });
    expect(written.status).toBe(201);
    serve('{"_rev":"2"}');
    expect(await read()).toBe('{"_rev":"2"}');
    // Of the other packages nothing is forgotten.
    await gateway.get('/npm/board');
    expect(origin.requests.filter(({ target }) => target === '/board')).toHaveLength(1);
  });
});

describe('a private package', () => {
  test.each([
    ['document', '/@tools%2fnail'],
    ['tarball', '/@tools/nail/-/nail-1.0.0.tgz'],
  ])('its %s, read with a token, is for nobody without it', async (_, path) => {
    const { origin, gateway } = await setup();
    origin.handle(path, (request, reply) => {
      if (request.headers.authorization === 'Bearer mine') reply.end('{"mine":true}');
      else reply.writeHead(401).end();
    });
    const headers = { Authorization: 'Bearer mine' };
    const mine = await gateway.get(`/npm${path}`, { headers });
    expect(mine.body.toString()).toBe('{"mine":true}');
    await untilSettled(gateway);
    expect((await gateway.get(`/npm${path}`)).status).toBe(401);
    const other = { Authorization: 'Bearer yours' };
    expect((await gateway.get(`/npm${path}`, { headers: other })).status).toBe(401);
    expect((await gateway.get(`/npm${path}`, { headers })).body.toString()).toBe('{"mine":true}');
  });

  test('its token goes to no other host that the registry names', async () => {
    const origin = await httpOrigin();
    const files = await httpOrigin();
    const host = `127.0.0.1:${files.port}`;
    files.serve('/nail-1.0.0.tgz', { body: 'tarball' });
    const gateway = await testGateway({
      mounts: [{ path: '/npm', ecosystem: 'npm', url: origin.url, hosts: [host] }],
    });
    const headers = { Authorization: 'Bearer mine' };
    const path = `/npm/-/at/http/${host}/nail-1.0.0.tgz`;
    expect((await gateway.get(path, { headers })).body.toString()).toBe('tarball');
    expect(files.requests[0]?.headers).not.toContain('Bearer mine');
  });
});

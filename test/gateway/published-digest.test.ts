import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { untilSettled } from '../support/settled.ts';

const good = Buffer.from('a tarball');
const path = '/npm/name/-/name-1.0.0.tgz';

const hash = (algorithm: string, body: Uint8Array, encoding: 'hex' | 'base64') =>
  createHash(algorithm).update(body).digest(encoding);

/** A registry with one package, whose document says these things of its tarball. */
async function setup(body = good, dist?: object) {
  const origin = await httpOrigin();
  const tarball = `${origin.url}/name/-/name-1.0.0.tgz`;
  const facts = dist ?? {
    shasum: hash('sha1', body, 'hex'),
    integrity: `sha512-${hash('sha512', body, 'base64')}`,
  };
  const document = JSON.stringify({ versions: { '1.0.0': { dist: { tarball, ...facts } } } });
  const headers = { 'Cache-Control': 'max-age=60', 'Content-Encoding': 'gzip', Vary: 'Accept' };
  origin.serve('/name', { body: gzipSync(document), headers });
  const serve = (bytes: Uint8Array, fields: Record<string, string> = {}) =>
    origin.serve('/name/-/name-1.0.0.tgz', { body: bytes, headers: fields });
  serve(body);
  const gateway = await testGateway({
    mounts: [{ path: '/npm', ecosystem: 'npm', url: origin.url }],
  });
  const read = () => gateway.get('/npm/name', { headers: { 'Accept-Encoding': 'gzip' } });
  const documents = () => origin.requests.filter(({ target }) => target === '/name').length;
  return { origin, gateway, serve, read, documents };
}

describe('a digest that an index publishes', () => {
  test('keeps a wrong artifact from the client and the cache, and says so', async () => {
    const { gateway, serve, read, documents } = await setup();
    await read();
    serve(Buffer.from('a tarbalL'));
    const refused = await gateway.get(path);
    expect(refused.status).toBe(502);
    expect(refused.field('proxy-status')).toContain('digest_mismatch');
    expect(gateway.log()).toContainEqual(
      expect.objectContaining({
        msg: 'a body without the digest it must have was refused',
        expected: { algorithm: 'sha512', hex: hash('sha512', good, 'hex') },
      }),
    );
    serve(good);
    expect((await gateway.get(path)).body).toEqual(good);
    await untilSettled(gateway);
    expect((await gateway.get(path)).field('cache-status')).toContain('hit');
    expect(documents()).toBe(1);
  });

  test('ends a large wrong artifact short of its length', async () => {
    const { gateway, serve, read } = await setup(Buffer.alloc(300_000, 1));
    await read();
    serve(Buffer.alloc(300_000, 2));
    const refused = await gateway.get(path);
    expect(refused.aborted).toBe(true);
    expect(refused.body.length).toBeLessThan(300_000);
    serve(Buffer.alloc(300_000, 1));
    expect((await gateway.get(path)).body).toHaveLength(300_000);
  });

  test('holds for a client with credentials too, whose response is its own', async () => {
    const { gateway, serve, read } = await setup();
    await read();
    const headers = { Authorization: 'Bearer mine' };
    serve(Buffer.from('wrong'));
    const refused = await gateway.get(path, { headers });
    expect(refused.status === 502 || refused.aborted).toBe(true);
    serve(good);
    expect((await gateway.get(path, { headers })).body).toEqual(good);
  });

  test('holds for the client that has just read the document, and for a herd', async () => {
    const { gateway, serve, read } = await setup();
    serve(Buffer.from('wrong'));
    await read();
    const herd = await Promise.all([1, 2, 3, 4].map(() => gateway.get(path)));
    expect(herd.map(({ status }) => status)).toEqual([502, 502, 502, 502]);
  });

  test('is taken from the SHA-1 where there is no other', async () => {
    const { gateway, serve, read } = await setup(good, { shasum: hash('sha1', good, 'hex') });
    await read();
    serve(Buffer.from('wrong'));
    expect((await gateway.get(path)).status).toBe(502);
  });

  test.each([
    ['none is published', {}],
    ['the algorithm is unknown', { integrity: 'sha999-AAAA' }],
  ])('is not asked for where %s', async (_case, dist) => {
    const { gateway, read } = await setup(good, dist);
    await read();
    expect((await gateway.get(path)).body).toEqual(good);
    await untilSettled(gateway);
    expect((await gateway.get(path)).field('cache-status')).toContain('hit');
  });

  test('costs no request where the document is not stored', async () => {
    const { gateway, serve, documents } = await setup();
    serve(Buffer.from('anything'));
    expect((await gateway.get(path)).body.toString()).toBe('anything');
    expect(documents()).toBe(0);
  });

  test('says nothing of a body under a content coding, nor of one that is stored', async () => {
    const { gateway, serve, read } = await setup();
    await read();
    serve(gzipSync(good), { 'Content-Encoding': 'gzip', 'Cache-Control': 'no-store' });
    expect((await gateway.get(path)).body).toEqual(gzipSync(good));

    const other = await setup();
    other.serve(Buffer.from('first'));
    await other.gateway.get(path);
    await other.read();
    expect((await other.gateway.get(path)).body.toString()).toBe('first');
  });
});

describe('what npm expects of a tarball (pacote-integrity)', () => {
  const expecting = (body: Uint8Array) => ({
    headers: { 'Pacote-Integrity': `sha512-${hash('sha512', body, 'base64')}` },
  });

  test('is what is kept, where no document is stored: the client has its body all the same', async () => {
    const { gateway, serve, documents } = await setup();
    serve(Buffer.from('wrong'));
    expect((await gateway.get(path, expecting(good))).body.toString()).toBe('wrong');
    expect(gateway.log()).toContainEqual(
      expect.objectContaining({ msg: 'a body that its client does not expect is not kept' }),
    );
    serve(good);
    expect((await gateway.get(path, expecting(good))).body).toEqual(good);
    await untilSettled(gateway);
    expect((await gateway.get(path)).field('cache-status')).toContain('hit');
    expect(documents()).toBe(0);
  });

  test('does not count against a published digest, nor against what is stored', async () => {
    const { gateway, read } = await setup();
    await read();
    expect((await gateway.get(path, expecting(Buffer.from('other')))).body).toEqual(good);
    await untilSettled(gateway);
    expect((await gateway.get(path)).field('cache-status')).toContain('hit');
    expect((await gateway.get(path, expecting(Buffer.from('other')))).body).toEqual(good);
  });

  test('does not count under a content coding, nor where it cannot be read', async () => {
    const { gateway, serve } = await setup();
    serve(gzipSync(good), { 'Content-Encoding': 'gzip' });
    expect((await gateway.get(path, expecting(good))).status).toBe(200);
    await untilSettled(gateway);
    expect((await gateway.get(path)).field('cache-status')).toContain('hit');
    const other = await setup();
    const headers = { 'Pacote-Integrity': 'sha999-AAAA sha512-%%' };
    await other.gateway.get(path, { headers });
    await untilSettled(other.gateway);
    expect((await other.gateway.get(path)).field('cache-status')).toContain('hit');
  });
});

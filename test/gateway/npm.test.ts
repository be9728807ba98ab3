import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { FakeClock } from '../support/clock.ts';
import { testGateway } from '../support/gateway.ts';
import { type HttpOrigin, httpOrigin } from '../support/http-origin.ts';

const yarn = { 'User-Agent': 'yarn/1.22.22 npm/? node/v24.0.0 linux x64' };
const npm = { 'User-Agent': 'npm/11.19.1 node/v24.0.0 linux x64 workspaces/false' };

/** A packument whose spelling a parser would not give back. */
function packument(registry: string): string {
  return `{ "name":"a", "unknown": 1.0e2, "versions":{"1.0.0":{"name":"a","dist":{"tarball":"${registry}/a/-/a-1.0.0.tgz","shasum":"x"}}} }`;
}

function serveRegistry(origin: HttpOrigin, { etag = true } = {}): void {
  origin.handle('/a', (request, reply) => {
    const body = Buffer.from(packument(origin.url));
    const gzip = String(request.headers['accept-encoding']).includes('gzip');
    reply.setHeader('Content-Type', 'application/json');
    reply.setHeader('Cache-Control', 'public, max-age=300');
    if (etag) reply.setHeader('ETag', '"packument-1"');
    if (gzip) reply.setHeader('Content-Encoding', 'gzip');
    reply.end(gzip ? gzipSync(body) : body);
  });
  origin.serve('/a/-/a-1.0.0.tgz', { body: 'tarball' });
}

async function setup(options?: { etag?: boolean; canonical?: boolean }) {
  const origin = await httpOrigin();
  serveRegistry(origin, options);
  const gateway = await testGateway({
    mounts: [{ path: '/npm', ecosystem: 'npm', url: origin.url, redirects: 'follow' }],
    ...(options?.canonical && { config: { npmCanonicalRegistry: origin.url } }),
  });
  return { origin, gateway };
}

test('tarball URLs lead through the mount, and nothing else of the document changes', async () => {
  const { origin, gateway } = await setup();
  for (let i = 0; i < 2; i++) {
    const answer = await gateway.get('/npm/a', { headers: yarn });
    expect(answer.body.toString()).toBe(packument(`${gateway.url}/npm`));
  }
  expect((await gateway.get('/npm/a/-/a-1.0.0.tgz')).body.toString()).toBe('tarball');
  expect(origin.requests).toHaveLength(2);
});

test('a rewritten document has an entity tag of its own bytes, and answers 304 to it', async () => {
  const { origin, gateway } = await setup();
  const first = await gateway.get('/npm/a', { headers: yarn });
  const etag = first.field('etag') ?? '';
  expect(etag).toBe(`"${createHash('sha256').update(first.body).digest('hex').slice(0, 32)}"`);
  const again = await gateway.get('/npm/a', { headers: { ...yarn, 'If-None-Match': etag } });
  expect(again.status).toBe(304);
  expect(again.body).toHaveLength(0);
  expect(first.field('content-length')).toBe(String(first.body.length));
  expect(origin.requests).toHaveLength(1);
});

test('each base URL gets its own document from one fetch', async () => {
  const { origin, gateway } = await setup();
  const other = { ...yarn, Host: 'cache.test:8080' };
  await gateway.get('/npm/a', { headers: yarn });
  const answer = await gateway.get('/npm/a', { headers: other });
  expect(answer.body.toString()).toBe(packument('http://cache.test:8080/npm'));
  expect(origin.requests).toHaveLength(1);
});

test('is gzip for clients that take it and plain for the others', async () => {
  const { gateway } = await setup();
  const gzip = await gateway.get('/npm/a', { headers: { ...yarn, 'Accept-Encoding': 'gzip, br' } });
  expect(gzip.field('content-encoding')).toBe('gzip');
  expect(gzip.field('vary')?.toLowerCase()).toContain('accept-encoding');
  const plain = await gateway.get('/npm/a', { headers: yarn });
  expect(plain.field('content-encoding')).toBeUndefined();
  expect(plain.field('etag')).not.toBe(gzip.field('etag'));
});

test('npm gets the canonical registry’s document untouched, and says that it depends on the client', async () => {
  const { origin, gateway } = await setup({ canonical: true });
  const answer = await gateway.get('/npm/a', { headers: npm });
  expect(answer.body.toString()).toBe(packument(origin.url));
  expect(answer.field('etag')).toBe('"packument-1"');
  expect(answer.field('vary')?.toLowerCase()).toContain('user-agent');
  const rewritten = await gateway.get('/npm/a', { headers: yarn });
  expect(rewritten.body.toString()).toBe(packument(`${gateway.url}/npm`));
  expect(origin.requests).toHaveLength(1);
});

test('a document without an entity tag gets one', async () => {
  const { gateway } = await setup({ canonical: true, etag: false });
  const answer = await gateway.get('/npm/a', { headers: npm });
  const etag = answer.field('etag') ?? '';
  expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
  const again = await gateway.get('/npm/a', { headers: { ...npm, 'If-None-Match': etag } });
  expect(again.status).toBe(304);
});

test('searches and audits pass through', async () => {
  const { origin, gateway } = await setup();
  origin.handle('/-/v1/search?text=a', (_request, reply) => {
    reply.end('{"objects":[]}');
  });
  const search = await gateway.get('/npm/-/v1/search?text=a');
  expect(search.body.toString()).toBe('{"objects":[]}');
  expect(search.field('cache-status')).toContain('detail=passthrough');
});

test('a document that is not what it claims is an error, and is not stored as one', async () => {
  const { origin, gateway } = await setup();
  origin.handle('/a', (_request, reply) => {
    reply.setHeader('Cache-Control', 'max-age=300');
    reply.setHeader('Content-Encoding', 'gzip');
    reply.end('this is not gzip');
  });
  const answer = await gateway.get('/npm/a', { headers: yarn });
  expect(answer.status).toBe(502);
  expect(answer.field('proxy-status')).toContain('error=http_protocol_error');
});

test('a document that says nothing of its freshness is fresh for the mount’s default time', async () => {
  const clock = new FakeClock();
  const origin = await httpOrigin();
  origin.handle('/a', (_request, reply) => {
    reply.end(packument(origin.url));
  });
  const gateway = await testGateway({
    now: clock.now,
    mounts: [{ path: '/npm', ecosystem: 'npm', url: origin.url, defaultTtl: 300_000 }],
  });
  const ask = async () => (await gateway.get('/npm/a', { headers: yarn })).field('cache-status');
  expect(await ask()).toContain('detail=miss');
  clock.advance(299_000);
  expect(await ask()).toBe('millrace; hit; ttl=1');
  clock.advance(2_000);
  expect(await ask()).toContain('detail=miss');
  expect(origin.requests).toHaveLength(2);
});

test('a document for one client alone is rewritten whole: ranges and the origin’s tag are of another one', async () => {
  const origin = await httpOrigin();
  const headers = { 'Cache-Control': 'private' };
  origin.serve('/a', { body: packument(origin.url), headers });
  const gateway = await testGateway({
    mounts: [{ path: '/npm', ecosystem: 'npm', url: origin.url }],
  });
  const range = await gateway.get('/npm/a', { headers: { ...yarn, Range: 'bytes=0-9' } });
  expect(range.status).toBe(200);
  expect(range.body.toString()).toBe(packument(`${gateway.url}/npm`));
  const head = await gateway.get('/npm/a', { method: 'HEAD', headers: yarn });
  expect(head.field('etag')).toBeUndefined();
  expect(head.field('content-length')).toBeUndefined();
});

test('a file on another host is fetched without the client’s credentials for the registry', async () => {
  const [origin, files] = [await httpOrigin(), await httpOrigin()];
  files.serve('/a/-/a-1.0.0.tgz', { body: 'tarball' });
  const { host } = new URL(files.url);
  const gateway = await testGateway({
    mounts: [{ path: '/npm', ecosystem: 'npm', url: origin.url, hosts: [host] }],
    config: { forwardProxy: { allow: ['127.0.0.1'] } },
  });
  const headers = { ...yarn, Authorization: 'Bearer secret', Cookie: 'sid=1' };
  await gateway.get(`/npm/-/at/http/${host}/a/-/a-1.0.0.tgz`, { headers });
  expect(files.requests).toHaveLength(1);
  expect(files.requests[0]?.headers.join(' ')).not.toMatch(/secret|sid=1/);
});

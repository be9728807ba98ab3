import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { FakeClock } from '../support/clock.ts';
import { testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';

const wheel = 'nail-1.0-py3-none-any.whl';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const json = 'application/vnd.pypi.simple.v1+json';
const asPip = {
  Accept: `${json}, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01`,
  'Accept-Encoding': 'gzip, deflate',
  'Cache-Control': 'max-age=0',
};

/** An index whose page names a wheel on another host, in both formats. */
async function setup() {
  const clock = new FakeClock();
  const [index, files] = [await httpOrigin(), await httpOrigin()];
  const url = `${files.url}/packages/${wheel}`;
  const page = {
    files: [
      {
        filename: wheel,
        url,
        hashes: { sha256: sha256('a wheel') },
        'core-metadata': { sha256: sha256('its metadata') },
      },
    ],
  };
  index.handle('/simple/nail/', (request, response) => {
    const isJson = (request.headers.accept ?? '').includes(json);
    const fields = {
      'Content-Type': isJson ? json : 'text/html',
      'Content-Encoding': 'gzip',
      'Cache-Control': 'max-age=600',
      Vary: 'Accept',
      ETag: isJson ? '"json"' : '"html"',
    };
    if (request.headers['if-none-match'] === fields.ETag) {
      response.writeHead(304, fields).end();
      return;
    }
    const html = `<a href="${url}#sha256=${sha256('a wheel')}" data-yanked="">${wheel}</a>`;
    response.writeHead(200, fields).end(gzipSync(isJson ? JSON.stringify(page) : html));
  });
  files.serve(`/packages/${wheel}`, { body: 'a wheel' });
  files.serve(`/packages/${wheel}.metadata`, { body: 'its metadata' });
  const host = `127.0.0.1:${files.port}`;
  const gateway = await testGateway({
    now: clock.now,
    mounts: [
      { path: '/pypi', ecosystem: 'pypi', url: index.url, redirects: 'follow', hosts: [host] },
    ],
  });
  const base = `/pypi/-/at/http/${host}/packages/${wheel}`;
  return { clock, index, files, gateway, base };
}

test('a page of the index, for every client, leads through the gateway, and costs a request a format', async () => {
  const { index, gateway, base } = await setup();
  const plain = { 'Accept-Encoding': 'identity' };
  const page = await gateway.get('/pypi/simple/nail/', { headers: { ...asPip, ...plain } });
  expect(JSON.parse(page.body.toString()).files[0].url).toBe(gateway.url + base);
  const html = await gateway.get('/pypi/simple/nail/', { headers: { Accept: '*/*', ...plain } });
  expect(html.body.toString()).toBe(
    `<a href="${gateway.url}${base}#sha256=${sha256('a wheel')}" data-yanked="">${wheel}</a>`,
  );
  const before = index.requests.length;
  for (const headers of [
    asPip,
    { ...asPip, Accept: 'text/html' },
    { ...plain, Accept: 'text/html' },
  ]) {
    await gateway.get('/pypi/simple/nail/', { headers });
  }
  expect(index.requests.length - before).toBeLessThanOrEqual(2);
  for (const name of ['Nail', 'NAIL', 'nail'])
    await gateway.get(`/pypi/simple/${name}`, { headers: asPip });
  expect(index.requests.every(({ target }) => target === '/simple/nail/')).toBe(true);
});

test('a page that is stale costs one conditional request, its files none', async () => {
  const { clock, index, files, gateway, base } = await setup();
  const install = async () => {
    await gateway.get('/pypi/simple/nail/', { headers: asPip });
    await gateway.get(`${base}.metadata`);
    await gateway.get(base);
  };
  await install();
  await install();
  expect([index.requests.length, files.requests.length]).toEqual([1, 2]);
  clock.advance(601_000);
  await install();
  expect(index.requests.map(({ status }) => status)).toEqual([200, 304]);
  expect(files.requests).toHaveLength(2);
});

test('what the page advertises is there, and is what it says: the file and its metadata', async () => {
  const { files, gateway, base } = await setup();
  await gateway.get('/pypi/simple/nail/', { headers: asPip });
  files.serve(`/packages/${wheel}.metadata`, { body: 'other metadata' });
  files.serve(`/packages/${wheel}`, { body: 'a wheeL' });
  for (const path of [base, `${base}.metadata`]) expect((await gateway.get(path)).status).toBe(502);
  files.serve(`/packages/${wheel}.metadata`, { body: 'its metadata' });
  files.serve(`/packages/${wheel}`, { body: 'a wheel' });
  expect((await gateway.get(base)).body.toString()).toBe('a wheel');
  expect((await gateway.get(`${base}.metadata`)).body.toString()).toBe('its metadata');
});

test('a file on a host that nobody allowed is not fetched', async () => {
  const { gateway } = await setup();
  const stranger = await httpOrigin();
  stranger.serve(`/packages/${wheel}`, { body: 'secret' });
  const path = `/pypi/-/at/http/127.0.0.1:${stranger.port}/packages/${wheel}`;
  expect((await gateway.get(path)).body.toString()).not.toContain('secret');
  expect(stranger.requests).toEqual([]);
});

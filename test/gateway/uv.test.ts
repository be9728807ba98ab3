import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { testGateway } from '../support/gateway.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { untilSettled } from '../support/settled.ts';

const json = 'application/vnd.pypi.simple.v1+json';
/** As uv asks for a project's page, for a file, and for a part of one. */
const page = {
  'User-Agent': 'uv/0.9.0',
  Accept: `${json}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01`,
  'Accept-Encoding': 'gzip, br, zstd',
};
const file = { 'User-Agent': 'uv/0.9.0', Accept: '*/*', 'Accept-Encoding': 'identity' };
const asPip = {
  Accept: `${json}, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01`,
  'Accept-Encoding': 'gzip, deflate',
};

const name = 'nail-1.0-py3-none-any.whl';
const wheel = generatedBytes('wheel', 0, 300_000);
const metadata = 'Metadata-Version: 2.1\nName: nail\nVersion: 1.0\n';
const sha256 = (body: string | Uint8Array) => createHash('sha256').update(body).digest('hex');

/** An index and its files on one host, as an index of one's own has them. */
async function setup({ withMetadata = true, served = wheel as Uint8Array } = {}) {
  const origin = await httpOrigin();
  const entry = {
    filename: name,
    url: `${origin.url}/packages/${name}`,
    hashes: { sha256: sha256(wheel) },
    ...(withMetadata && { 'core-metadata': { sha256: sha256(metadata) } }),
  };
  const body = JSON.stringify({ meta: { 'api-version': '1.1' }, name: 'nail', files: [entry] });
  const headers = { 'Content-Type': json, 'Cache-Control': 'max-age=600', Vary: 'Accept' };
  origin.serve('/simple/nail/', { body, headers });
  origin.serve(`/packages/${name}`, { body: served });
  if (withMetadata) origin.serve(`/packages/${name}.metadata`, { body: metadata });
  const gateway = await testGateway({
    mounts: [{ path: '/pypi', ecosystem: 'pypi', url: origin.url }],
  });
  const asked = () => origin.requests.map(({ method, target }) => `${method} ${target}`);
  return { origin, gateway, asked };
}

type Setup = Awaited<ReturnType<typeof setup>>;

/** Reads the page as uv does; the path of the wheel that it names. */
async function wheelPath({ gateway }: Pick<Setup, 'gateway'>): Promise<string> {
  const answer = await gateway.get('/pypi/simple/nail/', { headers: page });
  expect(answer.field('content-type')).toBe(json);
  const { files } = JSON.parse(answer.body.toString()) as { files: { url: string }[] };
  return (files[0]?.url ?? '').replace(gateway.url, '');
}

test('uv resolves by metadata and downloads the wheel, and again without the index', async () => {
  const { origin, gateway, asked } = await setup();
  for (let i = 0; i < 2; i++) {
    const path = await wheelPath({ gateway });
    const answer = await gateway.get(`${path}.metadata`, { headers: file });
    expect(answer.body.toString()).toBe(metadata);
    expect((await gateway.get(path, { headers: file })).body.equals(wheel)).toBe(true);
    await untilSettled(gateway);
    if (i === 0) await origin.close();
  }
  const file_ = `/packages/${name}`;
  expect(asked()).toEqual(['GET /simple/nail/', `GET ${file_}.metadata`, `GET ${file_}`]);
});

test('uv and pip share a page', async () => {
  const { gateway, asked } = await setup();
  await wheelPath({ gateway });
  const answer = await gateway.get('/pypi/simple/nail/', { headers: asPip });
  expect(answer.field('cache-status')).toContain('; hit');
  expect(asked()).toHaveLength(1);
});

test('uv’s own cache is told that its page is still right, from the gateway', async () => {
  const { gateway, asked } = await setup();
  const first = await gateway.get('/pypi/simple/nail/', { headers: page });
  const headers = { ...page, 'If-None-Match': first.field('etag') ?? '' };
  expect((await gateway.get('/pypi/simple/nail/', { headers })).status).toBe(304);
  expect(asked()).toHaveLength(1);
});

test('without metadata beside it uv reads the end of a wheel; the wheel comes once', async () => {
  const { gateway, asked } = await setup({ withMetadata: false });
  const path = await wheelPath({ gateway });
  expect((await gateway.get(`${path}.metadata`, { headers: file })).status).toBe(404);

  const head = await gateway.get(path, { method: 'HEAD', headers: file });
  expect(head.field('content-length')).toBe(String(wheel.length));
  expect(head.field('accept-ranges')).toBe('bytes');
  for (const [first, last] of [
    [wheel.length - 16_384, wheel.length - 1],
    [1_000, 2_999],
  ] as const) {
    const part = await gateway.get(path, { headers: { ...file, Range: `bytes=${first}-${last}` } });
    expect(part.status).toBe(206);
    expect(part.body.equals(wheel.subarray(first, last + 1))).toBe(true);
  }
  await untilSettled(gateway);
  expect((await gateway.get(path, { headers: file })).body.equals(wheel)).toBe(true);
  expect(asked().filter((each) => each === `GET /packages/${name}`)).toHaveLength(1);
});

test('a wheel that is not what the page says is refused and not kept', async () => {
  const bad = Buffer.from(wheel);
  bad.writeUInt8(bad.readUInt8(150_000) ^ 1, 150_000);
  const { origin, gateway } = await setup({ served: bad });
  const path = await wheelPath({ gateway });
  const refused = await gateway.get(path, { headers: file });
  expect(refused.status === 502 || refused.aborted).toBe(true);
  await untilSettled(gateway);
  origin.serve(`/packages/${name}`, { body: wheel });
  expect((await gateway.get(path, { headers: file })).body.equals(wheel)).toBe(true);
});

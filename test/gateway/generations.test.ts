import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { AdminStats } from '../../src/surfaces/admin-view.ts';
import {
  aptGeneration,
  aptPaths,
  byHashPath,
  type PublishOptions,
  publish,
} from '../support/apt-suite.ts';
import { Client, type ClientResponse } from '../support/client.ts';
import { FakeClock } from '../support/clock.ts';
import { testGateway } from '../support/gateway.ts';
import { type HttpOrigin, httpOrigin } from '../support/http-origin.ts';
import { until } from '../support/until.ts';

const { release, index, sources } = aptPaths;

/** An archive and a gateway before it, with the first of three generations published. */
async function setup(options: PublishOptions = {}, origins?: readonly HttpOrigin[]) {
  const origin = origins?.[0] ?? (await httpOrigin());
  const upstreams = (origins ?? [origin]).map(({ url }) => ({ url: `${url}/debian` }));
  const clock = new FakeClock(Date.now());
  const mount = { path: '/debian', ecosystem: 'apt', upstreams } as const;
  const gateway = await testGateway({
    mounts: [{ ...mount, url: `${origin.url}/debian` }],
    now: clock.now,
  });
  const generations = [1, 2, 3].map((number) => aptGeneration(number, options));
  const [first, second, third] = generations as [
    ReturnType<typeof aptGeneration>,
    ReturnType<typeof aptGeneration>,
    ReturnType<typeof aptGeneration>,
  ];
  publish(origin, first, options);
  /** A client with a connection of its own. */
  const client = () => {
    const own = new Client();
    return (path: string, headers?: Record<string, string>): Promise<ClientResponse> =>
      own.send(`${gateway.url}${path}`, headers && { headers });
  };
  const asked = () => origin.requests.map(({ target, status }) => `${status} ${target}`);
  return { origin, gateway, clock, client, first, second, third, asked };
}

/** An update as apt does it: all bodies, or the status instead of one. */
async function update(get: (path: string) => Promise<ClientResponse>) {
  const bodies: (Buffer | number)[] = [];
  for (const path of [release, index, sources]) {
    const { status, body } = await get(path);
    bodies.push(status === 200 ? body : status);
  }
  return bodies;
}

const bodiesOf = ({ release, index, sources }: ReturnType<typeof aptGeneration>) => [
  release,
  index,
  sources,
];

describe('indexes are those of the Release file that a client was given', () => {
  test('warm the Release file alone is asked for, by a condition; its 304 stands for all', async () => {
    const { client, first, asked } = await setup();
    expect(await update(client())).toEqual(bodiesOf(first));
    expect(asked()).toEqual([`200 ${release}`, `200 ${index}`, `200 ${sources}`]);
    const another = client();
    expect(await update(another)).toEqual(bodiesOf(first));
    expect(await update(another)).toEqual(bodiesOf(first));
    expect(asked().slice(3)).toEqual([`304 ${release}`, `304 ${release}`]);
  });

  test('nothing is asked for while the Release file is fresh by its own words', async () => {
    const { client, clock, first, asked } = await setup({ maxAge: 60 });
    await update(client());
    clock.advance(59_000);
    const apt = { 'User-Agent': 'Debian APT-HTTP/1.3', 'Cache-Control': 'max-age=0' };
    const get = client();
    expect(await update((path) => get(path, apt))).toEqual(bodiesOf(first));
    expect(asked()).toHaveLength(3);
    clock.advance(2_000);
    expect(await update(client())).toEqual(bodiesOf(first));
    expect(asked().slice(3)).toEqual([`304 ${release}`]);
  });

  test('a Release file that does not say how long it is fresh is never inferred to be', async () => {
    const { origin, client, second } = await setup();
    const lastModified = 'Thu, 01 Jan 2015 00:00:00 GMT';
    origin.serve(release, { body: aptGeneration(1).release, lastModified });
    await update(client());
    publish(origin, second);
    expect(await update(client())).toEqual(bodiesOf(second));
  });

  test('of a generation that the upstream has left they come from the cache', async () => {
    const { origin, client, first, second, third, asked } = await setup();
    await update(client());
    const early = client();
    await early(release);
    publish(origin, second);
    const late = client();
    expect(await update(late)).toEqual(bodiesOf(second));
    publish(origin, third);
    expect(await update(client())).toEqual(bodiesOf(third));
    const before = asked().length;
    expect([(await early(index)).body, (await early(sources)).body]).toEqual([
      first.index,
      first.sources,
    ]);
    expect((await late(index)).body).toEqual(second.index);
    expect(asked()).toHaveLength(before);
  });

  test('on another connection of the same address they are those of its last Release file', async () => {
    const { origin, client, clock, first, second } = await setup();
    await update(client());
    await client()(release);
    publish(origin, second);
    expect((await client()(index)).body).toEqual(first.index);
    // For as long as an update may take, and no longer.
    clock.advance(600_001);
    expect((await client()(index)).body).toEqual(second.index);
  });

  test('however often the same was answered from memory before', async () => {
    const { origin, client, first, second } = await setup({ maxAge: 60 });
    const [usual, early] = [client(), client()];
    for (const path of [release, release, release, index, index]) await usual(path);
    await early(index);
    await early(release);
    publish(origin, second, { maxAge: 60 });
    const late = client();
    await late(release, { 'Cache-Control': 'no-cache' });
    for (let i = 0; i < 3; i++) expect((await late(index)).body).toEqual(second.index);
    expect((await early(index)).body).toEqual(first.index);
  });

  test('clients behind a proxy are told apart by what it says of them', async () => {
    const { origin, client, first, second } = await setup();
    const proxy = client();
    const from = (address: string) => (path: string) => proxy(path, { 'X-Forwarded-For': address });
    await update(from('192.0.2.1'));
    publish(origin, second);
    expect(await update(from('192.0.2.2'))).toEqual(bodiesOf(second));
    expect((await from('192.0.2.1')(index)).body).toEqual(first.index);
    expect((await from('192.0.2.2')(index)).body).toEqual(second.index);
  });

  test('they are the same through the proxy, and under their digest', async () => {
    const options = { byHash: true };
    const { origin, gateway, first, second, asked } = await setup(options);
    const get = (path: string) => gateway.get(`${origin.url}${path}`);
    expect(await update(get)).toEqual(bodiesOf(first));
    expect(asked()).toContain(`200 ${byHashPath('index', first.index)}`);
    const before = asked().length;
    expect((await gateway.get(byHashPath('index', first.index))).body).toEqual(first.index);
    expect(asked()).toHaveLength(before);
    publish(origin, second, options);
    expect((await get(index)).body).toEqual(first.index);
  });

  test('what is asked of the upstreams for them is counted as for an index', async () => {
    const { gateway, client } = await setup();
    await update(client());
    await update(client());
    const { traffic } = (await gateway.admin('/api/stats')) as unknown as AdminStats;
    expect(traffic.requests.byKind).toEqual([
      expect.objectContaining({ kind: 'index', requests: 6, upstreamRequests: 4 }),
    ]);
  });

  test('a HEAD, a range and a condition are answered from them, too', async () => {
    const { client, first } = await setup();
    const get = client();
    await update(get);
    const range = await get(index, { Range: 'bytes=2-5' });
    expect([range.status, range.body]).toEqual([206, first.index.subarray(2, 6)]);
    const etag = (await get(index)).field('etag') ?? '';
    expect((await get(index, { 'If-None-Match': etag })).status).toBe(304);
  });

  test('after a restart they are those of the Release file that is stored, validated once', async () => {
    const { origin, gateway, first, second } = await setup();
    await update((path) => gateway.get(path));
    await gateway.close();
    const again = await testGateway({
      config: { data: gateway.config.data },
      mounts: [{ path: '/debian', ecosystem: 'apt', url: `${origin.url}/debian` }],
    });
    const before = origin.requests.length;
    expect((await again.get(index)).body).toEqual(first.index);
    expect(origin.requests.slice(before).map(({ target }) => target)).toEqual([release]);
    publish(origin, second);
    expect((await again.get(index)).body).toEqual(second.index);
    await origin.close();
    expect((await again.get(index)).body).toEqual(second.index);
  });
});

describe('an upstream that moves on between a Release file and its indexes', () => {
  test('gives them by their digest', async () => {
    const options = { byHash: true };
    const { origin, client, first, second } = await setup(options);
    const get = client();
    await get(release);
    publish(origin, second, options);
    expect([(await get(index)).body, (await get(sources)).body]).toEqual([
      first.index,
      first.sources,
    ]);
    expect(await update(get)).toEqual(bodiesOf(second));
  });

  test.each([100, 300_000])(
    'without by-hash: one of %i bytes is an error at once',
    async (size) => {
      const { origin, client, second } = await setup({ size });
      const get = client();
      await get(release);
      publish(origin, second);
      const refused = await get(index);
      expect(refused.status).toBe(502);
      expect(refused.field('proxy-status')).toContain('digest_mismatch');
      expect(await update(get)).toEqual(bodiesOf(second));
    },
  );

  test.each([100, 300_000])('of %i bytes and the same length: never whole', async (size) => {
    const { origin, client, first } = await setup({ size });
    const get = client();
    await get(release);
    origin.serve(index, { body: Buffer.alloc(first.index.length, 'y') });
    const refused = await get(index);
    expect(refused.status === 502 || refused.aborted).toBe(true);
    origin.serve(index, { body: first.index });
    expect((await get(index)).body).toEqual(first.index);
  });

  test('is asked for its Release file at once, however fresh that is', async () => {
    const options = { maxAge: 3600 };
    const { origin, client, second, asked } = await setup(options);
    const get = client();
    await get(release);
    publish(origin, second, options);
    expect((await get(index)).status).toBe(502);
    await until(() => asked().filter((line) => line === `200 ${release}`).length === 2);
    const later = client();
    await until(async () => (await later(release)).body.equals(second.release));
    expect(await update(later)).toEqual(bodiesOf(second));
  });

  test('a by-hash folder that lacks an index does not hide it', async () => {
    const options = { byHash: true };
    const { origin, client, first, asked } = await setup(options);
    origin.serve(byHashPath('index', first.index), { body: '', status: 404 });
    const get = client();
    await get(release);
    expect((await get(byHashPath('index', first.index))).status).toBe(404);
    expect((await get(index)).body).toEqual(first.index);
    expect(asked().at(-1)).toBe(`200 ${index}`);
  });
});

describe('with mirrors', () => {
  test('an index comes from the one that has it as the Release file says', async () => {
    const [ahead, behind] = [await httpOrigin(), await httpOrigin()];
    const { client, first, second } = await setup({}, [ahead, behind]);
    publish(behind, first);
    const get = client();
    await get(release);
    publish(ahead, second);
    expect([(await get(index)).body, (await get(sources)).body]).toEqual([
      first.index,
      first.sources,
    ]);
    expect(behind.requests.length).toBeGreaterThan(0);
  });

  test('one that has nothing yet is passed over', async () => {
    const [empty, full] = [await httpOrigin(), await httpOrigin()];
    const { client, first } = await setup({}, [empty, full]);
    publish(full, first);
    const get = client();
    await get(release);
    for (const path of [index, sources]) empty.serve(path, { body: '', status: 404 });
    expect([(await get(index)).body, (await get(sources)).body]).toEqual([
      first.index,
      first.sources,
    ]);
  });
});

test('an index that its Release file does not name is validated each time', async () => {
  const { origin, client, asked } = await setup();
  const contents = '/debian/dists/stable/main/Contents-amd64';
  origin.serve(contents, { body: 'one' });
  const get = client();
  await get(release);
  await get(contents);
  origin.serve(contents, { body: 'two' });
  expect((await get(contents)).body.toString()).toBe('two');
  expect((await get(contents)).body.toString()).toBe('two');
  expect(asked().filter((line) => line.endsWith(contents))).toEqual([
    `200 ${contents}`,
    `200 ${contents}`,
    `304 ${contents}`,
  ]);
});

test('what a client with credentials is given is held to nothing that others were', async () => {
  const { origin, client, first, second } = await setup();
  const get = client();
  await update(get);
  publish(origin, second);
  const own = await get(index, { Authorization: 'Basic eDp5' });
  expect(own.body).toEqual(second.index);
  expect((await get(index)).body).toEqual(first.index);
});

test('rpm: metadata under plain names is what the repomd.xml says that the client was given', async () => {
  const origin = await httpOrigin();
  const gateway = await testGateway({
    mounts: [{ path: '/rpm', ecosystem: 'rpm', url: `${origin.url}/os` }],
  });
  const names = ['primary.xml.gz', 'filelists.xml.gz'];
  const bodyOf = (name: string, generation: number) => Buffer.from(`${name} ${generation}`);
  const publishMetadata = (generation: number) => {
    const entries = names.map((name) => {
      const body = bodyOf(name, generation);
      const sha256 = createHash('sha256').update(body).digest('hex');
      origin.serve(`/os/repodata/${name}`, { body });
      return `<data><checksum type="sha256">${sha256}</checksum><location href="repodata/${name}"/></data>`;
    });
    origin.serve('/os/repodata/repomd.xml', { body: `<repomd>${entries.join('')}</repomd>` });
  };
  const get = (client: Client, name: string) =>
    client.send(`${gateway.url}/rpm/repodata/${name}`).then(({ status, body }) => [status, body]);
  const asked = () => origin.requests.map(({ status, target }) => `${status} ${target}`);
  publishMetadata(1);
  const [first, second, third] = [new Client(), new Client(), new Client()];
  for (const name of ['repomd.xml', ...names]) await get(first, name);
  await get(second, 'repomd.xml');
  expect(await get(second, 'primary.xml.gz')).toEqual([200, bodyOf('primary.xml.gz', 1)]);
  expect(asked().slice(3)).toEqual(['304 /os/repodata/repomd.xml']);
  publishMetadata(2);
  await get(third, 'repomd.xml');
  for (const name of names) {
    expect(await get(third, name)).toEqual([200, bodyOf(name, 2)]);
    expect(await get(first, name)).toEqual([200, bodyOf(name, 1)]);
  }
});

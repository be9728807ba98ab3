import { describe, expect, test } from 'vitest';
import type { TrafficStats } from '../../src/core/traffic-stats.ts';
import { FakeClock } from '../support/clock.ts';
import { type TestGateway, testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';
import {
  digestOf,
  indexType,
  manifestType,
  type OciRegistry,
  ociRegistry,
} from '../support/oci-registry.ts';
import { untilSettled } from '../support/settled.ts';

const layer = 'a layer of some bytes';
const accept = { Accept: `${indexType}, ${manifestType}` };
const day = 86_400_000;

async function setup() {
  const clock = new FakeClock();
  const [hub, second] = [await ociRegistry(), await ociRegistry()];
  const gateway = await testGateway({
    now: clock.now,
    mounts: [
      { path: '/v2', ecosystem: 'oci', url: hub.url, redirects: 'follow', defaultTtl: 300_000 },
      { path: '/v2/second.test', ecosystem: 'oci', url: second.url, redirects: 'follow' },
    ],
  });
  return { clock, hub, second, gateway };
}

/** As clients do it: the tag, the manifest of one platform, and what that names. */
async function pull(gateway: TestGateway, root: string, image: string, tag: string, query = '') {
  const get = async (path: string) => {
    const answer = await gateway.get(`/v2${root}/${image}/${path}${query}`, { headers: accept });
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.body}`);
    await untilSettled(gateway);
    return answer.body.toString();
  };
  const { manifests } = JSON.parse(await get(`manifests/${tag}`));
  const manifest = JSON.parse(await get(`manifests/${manifests[0].digest}`));
  await get(`blobs/${manifest.config.digest}`);
  return get(`blobs/${manifest.layers[0].digest}`);
}

describe('an image', () => {
  test('costs one request for each of its parts, afterwards one HEAD for the tag', async () => {
    const { hub, gateway } = await setup();
    const { manifests, config, layer: blob } = hub.push('library/nail', 'latest', layer);
    expect(await pull(gateway, '', 'library/nail', 'latest')).toBe(layer);
    expect(hub.asked()).toEqual([
      'GET /library/nail/manifests/latest',
      `GET /library/nail/manifests/${manifests[0]}`,
      `GET /library/nail/blobs/${config}`,
      `GET /library/nail/blobs/${blob}`,
    ]);
    expect(await pull(gateway, '', 'library/nail', 'latest')).toBe(layer);
    expect(hub.asked().slice(4)).toEqual(['HEAD /library/nail/manifests/latest']);
  });

  test('that moved to another manifest is fetched anew, in what is new of it', async () => {
    const { hub, gateway } = await setup();
    hub.push('library/nail', 'latest', layer);
    await pull(gateway, '', 'library/nail', 'latest');
    hub.push('library/nail', 'latest', 'another layer');
    expect(await pull(gateway, '', 'library/nail', 'latest')).toBe('another layer');
    expect(hub.asked().slice(4, 6)).toEqual([
      'HEAD /library/nail/manifests/latest',
      'GET /library/nail/manifests/latest',
    ]);
  });

  test('is the same entry however its registry is named: by path, by ns, by its own URL', async () => {
    const { hub, second, gateway } = await setup();
    second.push('team/app', 'v1', layer);
    const { host } = new URL(second.url);
    expect(await pull(gateway, '/second.test', 'team/app', 'v1')).toBe(layer);
    const parts = second.asked().length;
    expect(await pull(gateway, '', 'team/app', 'v1', '?ns=second.test')).toBe(layer);
    expect(await pull(gateway, '', 'team/app', 'v1', `?ns=${encodeURIComponent(host)}`)).toBe(
      layer,
    );
    expect(await pull(gateway, '/second.test', 'team/app', 'v1', '?ns=second.test')).toBe(layer);
    const proxied = await gateway.get(`${second.url}/team/app/manifests/v1`, { headers: accept });
    expect(proxied.status).toBe(200);
    expect(second.asked().slice(parts)).toEqual(Array(4).fill('HEAD /team/app/manifests/v1'));
    expect(hub.asked()).toEqual([]);
  });

  test.each(['other.test', 'docker.io', ''])(
    'of a registry that no mount has is not looked for at another: ns=%s',
    async (name) => {
      const { hub, second, gateway } = await setup();
      hub.push('team/app', 'v1', layer);
      second.push('team/app', 'v1', layer);
      const answer = await gateway.get(`/v2/team/app/manifests/v1?ns=${name}`);
      expect(answer.status).toBe(404);
      const twice = await gateway.get('/v2/second.test/team/app/manifests/v1?ns=other.test');
      expect(twice.status).toBe(404);
      expect([...hub.asked(), ...second.asked()]).toEqual([]);
    },
  );

  test('is served while the registry is away, throttles or fails, for as long as stale is allowed', async () => {
    const { clock, hub, gateway } = await setup();
    hub.push('library/nail', 'latest', layer);
    await pull(gateway, '', 'library/nail', 'latest');
    for (const status of [429, 503, 500]) {
      hub.failing = status;
      clock.advance(60_000);
      const answer = await gateway.get('/v2/library/nail/manifests/latest', { headers: accept });
      expect([answer.status, answer.field('cache-status')]).toEqual([
        200,
        expect.stringContaining(`fwd-status=${status}`),
      ]);
    }
    await hub.origin.close();
    clock.advance(60_000);
    expect(await pull(gateway, '', 'library/nail', 'latest')).toBe(layer);
    clock.advance(2 * day);
    const late = await gateway.get('/v2/library/nail/manifests/latest', { headers: accept });
    expect(late.status).toBe(502);
    // What its digest names is good for ever.
    const blob = await gateway.get(`/v2/library/nail/blobs/${digestOf(layer)}`);
    expect(blob.body.toString()).toBe(layer);
  });

  test('that was never pulled shows a 429 as it is, with the time to wait', async () => {
    const { hub, gateway } = await setup();
    hub.origin.handle('/v2/library/nail/manifests/latest', (_request, response) => {
      response.writeHead(429, { 'Retry-After': '60', 'Content-Length': 0 }).end();
    });
    const answer = await gateway.get('/v2/library/nail/manifests/latest', { headers: accept });
    expect([answer.status, answer.field('retry-after')]).toEqual([429, '60']);
  });

  test('whose tag is only asked for by HEAD is kept all the same', async () => {
    const { hub, gateway } = await setup();
    const { index } = hub.push('library/nail', 'latest', layer);
    const head = { method: 'HEAD', headers: accept };
    const first = await gateway.get('/v2/library/nail/manifests/latest', head);
    expect([first.status, first.field('docker-content-digest')]).toEqual([200, index]);
    await untilSettled(gateway);
    await hub.origin.close();
    const second = await gateway.get('/v2/library/nail/manifests/latest', head);
    expect([second.status, second.field('docker-content-digest')]).toEqual([200, index]);
    expect(second.field('content-length')).toBe(first.field('content-length'));
  });

  test('that containerd asks for, by HEAD of the tag and then by digest, costs one GET', async () => {
    const { second, gateway } = await setup();
    const { index } = second.push('team/app', 'v1', layer);
    const ask = async (method: string, reference: string) => {
      const path = `/v2/team/app/manifests/${reference}?ns=second.test`;
      const { status } = await gateway.get(path, { method, headers: accept });
      await untilSettled(gateway);
      return status;
    };
    expect([await ask('HEAD', 'v1'), await ask('GET', index)]).toEqual([200, 200]);
    expect(second.asked()).toEqual([
      'GET /team/app/manifests/v1',
      `HEAD /team/app/manifests/${index}`,
    ]);
    await second.origin.close();
    expect([await ask('HEAD', 'v1'), await ask('GET', index)]).toEqual([200, 200]);
  });

  test('has a variant for each set of forms that a client takes', async () => {
    const { hub, gateway } = await setup();
    const { index, manifests } = hub.push('library/nail', 'latest', layer);
    const path = '/v2/library/nail/manifests/latest';
    const answerWith = hub.origin.handlerOf(path);
    const single = hub.origin.handlerOf(`/v2/library/nail/manifests/${manifests[0]}`);
    hub.origin.handle(path, (request, response) =>
      (String(request.headers.accept).includes(indexType) ? answerWith : single)?.(
        request,
        response,
      ),
    );
    const digestFor = async (value: string) => {
      const answer = await gateway.get(path, { headers: { Accept: value } });
      await untilSettled(gateway);
      return answer.field('docker-content-digest');
    };
    expect(await digestFor(`${indexType}, ${manifestType}`)).toBe(index);
    expect(await digestFor(manifestType)).toBe(manifests[0]);
    expect(await digestFor(`${manifestType}, ${indexType}`)).toBe(index);
    const gets = hub.asked().filter((each) => each.startsWith('GET'));
    expect(gets).toHaveLength(2);
  });
});

describe('what is not what its digest says', () => {
  const wrong = 'x'.repeat(layer.length);

  test.each(['blobs', 'manifests'])('is refused and not stored: %s by digest', async (kind) => {
    const { hub, gateway } = await setup();
    const digest = digestOf(layer);
    const path = `/v2/library/nail/${kind}/${digest}`;
    hub.serve(path, { body: wrong });
    expect((await gateway.get(path)).status).toBe(502);
    hub.serve(path, { body: layer });
    expect((await gateway.get(path)).body.toString()).toBe(layer);
    expect(gateway.log().some(({ msg }) => String(msg).includes('digest'))).toBe(true);
  });

  test('is refused where a tag is concerned, too: the registry told its digest', async () => {
    const { hub, gateway } = await setup();
    const path = '/v2/library/nail/manifests/latest';
    const headers = { 'Docker-Content-Digest': digestOf('{}') };
    hub.serve(path, { body: '[]', headers });
    expect((await gateway.get(path)).status).toBe(502);
    hub.serve(path, { body: '{}', headers });
    expect((await gateway.get(path)).body.toString()).toBe('{}');
  });

  test('is refused where the registry tells another digest than was asked for', async () => {
    const { hub, gateway } = await setup();
    const path = `/v2/library/nail/manifests/${digestOf('{}')}`;
    hub.serve(path, { body: '{}', headers: { 'Docker-Content-Digest': digestOf('[]') } });
    expect((await gateway.get(path)).status).toBe(502);
  });

  test('cannot be told in an unknown algorithm: it goes through each time, unshared', async () => {
    const { hub, gateway } = await setup();
    const path = `/v2/library/nail/blobs/blake3:${'ab'.repeat(32)}`;
    hub.serve(path, { body: layer, headers: { 'Cache-Control': 'max-age=600' } });
    for (const _ of [1, 2]) expect((await gateway.get(path)).body.toString()).toBe(layer);
    expect(hub.asked()).toHaveLength(2);
  });
});

test('a blob on another host is fetched from there, in parts too, without credentials', async () => {
  const { hub, gateway } = await setup();
  const store = await httpOrigin();
  const digest = digestOf(layer);
  store.serve('/signed', { body: layer });
  hub.origin.handle(`/v2/library/nail/blobs/${digest}`, (_request, response) => {
    response.writeHead(307, { Location: `${store.url}/signed`, 'Content-Length': 0 }).end();
  });
  const path = `/v2/library/nail/blobs/${digest}`;
  const part = await gateway.get(path, { headers: { Range: 'bytes=2-6' } });
  expect([part.status, part.body.toString()]).toEqual([206, 'layer']);
  await untilSettled(gateway);
  expect((await gateway.get(path)).body.toString()).toBe(layer);
  expect(store.requests).toHaveLength(1);
});

describe('a blob that is stored for one repository', () => {
  test('costs another one a HEAD and no body, in whatever registry', async () => {
    const { hub, second, gateway } = await setup();
    hub.push('library/nail', 'latest', layer);
    hub.push('library/board', 'latest', layer);
    second.push('team/app', 'v1', layer);
    await pull(gateway, '', 'library/nail', 'latest');
    const blob = `blobs/${digestOf(layer)}`;
    const sent = hub.origin.bytesSent;
    expect((await gateway.get(`/v2/library/board/${blob}`)).body.toString()).toBe(layer);
    expect((await gateway.get(`/v2/second.test/team/app/${blob}`)).body.toString()).toBe(layer);
    expect([hub.asked().at(-1), second.asked()]).toEqual([
      `HEAD /library/board/${blob}`,
      [`HEAD /team/app/${blob}`],
    ]);
    expect([hub.origin.bytesSent - sent, second.origin.bytesSent]).toEqual([0, 0]);
    await hub.origin.close();
    expect((await gateway.get(`/v2/library/board/${blob}`)).body.toString()).toBe(layer);
  });

  test('is not there for one that does not have it, or does not show it', async () => {
    const { hub, second, gateway } = await setup();
    hub.push('library/nail', 'latest', layer);
    await pull(gateway, '', 'library/nail', 'latest');
    const blob = `blobs/${digestOf(layer)}`;
    expect((await gateway.get(`/v2/library/other/${blob}`)).status).toBe(404);
    second.guard = { challenge: 'Basic realm="x"', accepts: () => false };
    second.push('team/app', 'v1', layer);
    expect((await gateway.get(`/v2/second.test/team/app/${blob}`)).status).toBe(401);
  });

  test('is fetched again once it has been purged', async () => {
    const { hub, gateway } = await setup();
    hub.push('library/nail', 'latest', layer);
    hub.push('library/board', 'latest', layer);
    const blob = `blobs/${digestOf(layer)}`;
    await gateway.get(`/v2/library/nail/${blob}`);
    await untilSettled(gateway);
    await gateway.admin('/api/entries?mount=/v2', 'DELETE');
    expect((await gateway.get(`/v2/library/board/${blob}`)).body.toString()).toBe(layer);
    expect(hub.asked().at(-1)).toBe(`GET /library/board/${blob}`);
  });
});

test('many at once cost one request for each part', async () => {
  const { hub, gateway } = await setup();
  hub.push('library/nail', 'latest', layer);
  const pulls = Array.from({ length: 8 }, () => pull(gateway, '', 'library/nail', 'latest'));
  for (const body of await Promise.all(pulls)) expect(body).toBe(layer);
  const gets = hub.asked().filter((each) => each.startsWith('GET'));
  expect(new Set(gets).size).toBe(gets.length);
});

test('lists are validated each time, and their next page stays with the mount', async () => {
  const { second, gateway } = await setup();
  second.serve('/v2/team/app/tags/list', {
    body: '{"tags":["v1"]}',
    headers: { Link: '</v2/team/app/tags/list?n=1&last=v1>; rel="next"' },
  });
  const list = () => gateway.get('/v2/second.test/team/app/tags/list?n=1');
  const answer = await list();
  expect(answer.field('link')).toBe(
    `<${gateway.url}/v2/second.test/team/app/tags/list?n=1&last=v1>; rel="next"`,
  );
  await untilSettled(gateway);
  await list();
  expect(second.origin.requests.map(({ status }) => status)).toEqual([200, 304]);
});

test('what the registry says of its rate limit is to be seen', async () => {
  const { hub, gateway } = await setup();
  hub.push('library/nail', 'latest', layer);
  const told = async (remaining: string) => {
    hub.headers = { 'RateLimit-Limit': '100;w=21600', 'RateLimit-Remaining': remaining };
    await gateway.get('/v2/library/nail/manifests/latest', { headers: accept });
    await untilSettled(gateway);
    const stats = (await gateway.admin('/api/stats')) as unknown as {
      traffic: TrafficStats;
    };
    return stats.traffic.upstreams.find(({ origin }) => origin === hub.origin.url)?.rateLimit;
  };
  expect(await told('76;w=21600')).toMatchObject({
    remaining: 76,
    limit: 100,
    windowSeconds: 21_600,
  });
  expect(await told('75;w=21600')).toMatchObject({ remaining: 75, at: '2026-01-01T00:00:00.000Z' });
  const metrics = (await gateway.client.send(`${gateway.adminUrl}/metrics`)).body.toString();
  expect(metrics).toContain(
    `millrace_upstream_ratelimit_remaining{upstream="${hub.origin.url}"} 75`,
  );
  expect(metrics).toContain(`millrace_upstream_ratelimit_limit{upstream="${hub.origin.url}"} 100`);
});

describe('the gateway itself', () => {
  test('says that it speaks the API, whether or not the registry is there', async () => {
    const { hub, gateway } = await setup();
    await hub.origin.close();
    for (const path of ['/v2/', '/v2', '/v2/?ns=second.test']) {
      const answer = await gateway.get(path);
      expect([answer.status, answer.field('docker-distribution-api-version')]).toEqual([
        200,
        'registry/2.0',
      ]);
    }
    expect((await gateway.get('/v2/', { method: 'HEAD' })).body).toHaveLength(0);
  });

  test('says so where only a named registry has a mount', async () => {
    const registry = await ociRegistry();
    const gateway = await testGateway({
      mounts: [{ path: '/v2/second.test', ecosystem: 'oci', url: registry.url }],
    });
    expect((await gateway.get('/v2/')).status).toBe(200);
    registry.push('team/app', 'v1', layer);
    expect(await pull(gateway, '', 'team/app', 'v1', '?ns=second.test')).toBe(layer);
  });

  test('refuses a push, and says why in the words of the API', async () => {
    const { hub, gateway } = await setup();
    const answer = await gateway.get('/v2/library/nail/blobs/uploads/', { method: 'POST' });
    expect([answer.status, JSON.parse(answer.body.toString()).errors[0].code]).toEqual([
      405,
      'UNSUPPORTED',
    ]);
    expect(hub.asked()).toEqual([]);
  });

  test.each([
    `/v2/library%2fnail/blobs/sha256:${'ab'.repeat(32)}`,
    '/v2/library/nail%2F..%2Fother/manifests/latest',
    '/v2/library/../other/manifests/latest',
    '/v2/library/%2e%2e/other/manifests/latest',
    '/v2/library\\nail/manifests/latest',
  ])('refuses a name that two readers might read differently: %s', async (path) => {
    const { hub, gateway } = await setup();
    expect((await gateway.get(path)).status).toBe(400);
    expect(hub.asked()).toEqual([]);
  });
});

/** Requests of a client with credentials of its own, to a registry that wants some. */
test("what a client gets by its own credentials is its own; with the gateway's it is everybody's", async () => {
  const registry: OciRegistry = await ociRegistry();
  registry.push('team/app', 'v1', layer);
  registry.headers = { 'Cache-Control': 'public, max-age=600' };
  registry.guard = {
    challenge: 'Basic realm="registry"',
    accepts: (authorization) => authorization === 'Basic bWU6bWU=',
  };
  const path = `/v2/team/app/blobs/${digestOf(layer)}`;
  const mount = { path: '/v2', ecosystem: 'oci', url: registry.url } as const;
  const without = await testGateway({ mounts: [mount] });
  const headers = { Authorization: 'Basic bWU6bWU=' };
  expect((await without.get(path, { headers })).body.toString()).toBe(layer);
  await untilSettled(without);
  expect((await without.get(path)).status).toBe(401);

  const upstreams = [{ url: registry.url, authorization: 'Basic bWU6bWU=' }];
  const having = await testGateway({ mounts: [{ ...mount, upstreams }] });
  expect((await having.get(path)).body.toString()).toBe(layer);
  await untilSettled(having);
  const before = registry.asked().length;
  const other = { Authorization: 'Basic b3RoZXI6eA==' };
  expect((await having.get(path, { headers: other })).body.toString()).toBe(layer);
  expect(registry.asked()).toHaveLength(before);
});

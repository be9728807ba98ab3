import { describe, expect, test } from 'vitest';
import type { MountConfig } from '../../src/config/config.ts';
import { FakeClock } from '../support/clock.ts';
import { testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { digestOf, ociRegistry, tokenService } from '../support/oci-registry.ts';
import { untilSettled } from '../support/settled.ts';

const layer = 'a layer';
const blob = (name = 'team/app') => `/v2/${name}/blobs/${digestOf(layer)}`;
const tag = '/v2/team/app/manifests/v1';

async function setup(settings: Partial<MountConfig> = {}, authorization?: string) {
  const clock = new FakeClock();
  const [registry, service] = [await ociRegistry(), await tokenService()];
  registry.push('team/app', 'v1', layer);
  registry.guard = service.guard('team/app');
  const mount = {
    path: '/v2',
    ecosystem: 'oci',
    url: registry.url,
    redirects: 'follow',
    hosts: [service.host],
    ...(authorization && { upstreams: [{ url: registry.url, authorization }] }),
    ...settings,
  } as const;
  const gateway = await testGateway({ now: clock.now, mounts: [mount] });
  const statuses = () => registry.origin.requests.map(({ status }) => status);
  return { clock, registry, service, gateway, statuses };
}

describe('a registry that wants a token', () => {
  test('gets one that the gateway asks for, once for a repository', async () => {
    const { service, gateway, statuses } = await setup();
    expect((await gateway.get(tag)).status).toBe(200);
    expect((await gateway.get(blob())).body.toString()).toBe(layer);
    expect(service.asked()).toEqual([
      { query: 'service=registry&scope=repository:team/app:pull', authorization: undefined },
    ]);
    expect(statuses()).toEqual([401, 200, 200]);
  });

  test('gets one for many clients at once', async () => {
    const { registry, service, gateway } = await setup();
    const digests = ['a', 'b', 'c', 'd'].map((text) => registry.blob('team/app', text));
    const get = (digest: string) => gateway.get(`/v2/team/app/blobs/${digest}`);
    for (const { status } of await Promise.all(digests.map(get))) expect(status).toBe(200);
    expect(service.asked()).toHaveLength(1);
  });

  test('gets another one for another repository, and none of the first', async () => {
    const { registry, service, gateway } = await setup();
    await gateway.get(blob());
    registry.push('team/other', 'v1', layer);
    const guard = service.guard('team/other');
    const seen: (string | undefined)[] = [];
    registry.guard = {
      ...guard,
      accepts: (authorization) => {
        seen.push(authorization);
        return guard.accepts(authorization);
      },
    };
    expect((await gateway.get(blob('team/other'))).status).toBe(200);
    expect(seen[0]).toBeUndefined();
    expect(service.asked()).toHaveLength(2);
  });

  test('gets a new one shortly before the end of the old one, and when that is refused', async () => {
    const { clock, registry, service, gateway, statuses } = await setup();
    await gateway.get(tag);
    clock.advance(285_000);
    await gateway.get(tag);
    expect(service.asked()).toHaveLength(1);
    clock.advance(6_000);
    await gateway.get(tag);
    expect(service.asked()).toHaveLength(2);
    service.revoke();
    const before = registry.origin.requests.length;
    expect((await gateway.get(tag)).status).toBe(200);
    expect(statuses().slice(before)).toEqual([401, 200]);
    expect(service.asked()).toHaveLength(3);
  });

  test('gets it by the credentials of its upstream, which the service alone sees besides', async () => {
    const { registry, service, gateway } = await setup({}, 'Basic bWU6bWU=');
    const theirs = { Authorization: 'Basic dGhlaXJzOng=' };
    expect((await gateway.get(blob(), { headers: theirs })).status).toBe(200);
    expect(service.asked().map(({ authorization }) => authorization)).toEqual(['Basic bWU6bWU=']);
    await untilSettled(gateway);
    await registry.origin.close();
    expect((await gateway.get(blob())).body.toString()).toBe(layer);
  });

  test('gets no credentials of a client but those that it sent, and its challenge is the client’s', async () => {
    const { registry, service, gateway } = await setup();
    const headers = { Authorization: 'Bearer theirs' };
    const answer = await gateway.get(blob(), { headers });
    expect([answer.status, answer.field('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('Bearer realm='),
    ]);
    expect(service.asked()).toEqual([]);
    registry.guard = { challenge: 'Basic', accepts: (sent) => sent === 'Bearer theirs' };
    expect((await gateway.get(blob(), { headers })).body.toString()).toBe(layer);
    await untilSettled(gateway);
    expect((await gateway.get(blob())).status).toBe(401);
  });

  test('and refuses the repository all the same is believed, and asked again next time', async () => {
    const { registry, service, gateway } = await setup();
    registry.guard = { ...service.guard('team/app'), accepts: () => false };
    for (const _ of [1, 2]) expect((await gateway.get(blob())).status).toBe(401);
    registry.guard = service.guard('team/app');
    expect((await gateway.get(blob())).status).toBe(200);
  });

  test('keeps its token to itself when it redirects to another host', async () => {
    const { registry, service, gateway } = await setup();
    const store = await httpOrigin();
    store.serve('/signed', { body: layer });
    const guard = registry.guard;
    registry.origin.handle(blob(), (request, response) => {
      const good = guard?.accepts(request.headers.authorization) === true;
      const fields = good
        ? { Location: `${store.url}/signed` }
        : { 'WWW-Authenticate': guard?.challenge };
      response.writeHead(good ? 307 : 401, { ...fields, 'Content-Length': 0 }).end();
    });
    expect((await gateway.get(blob())).body.toString()).toBe(layer);
    expect(service.asked()).toHaveLength(1);
    const headers = store.requests[0]?.headers ?? [];
    expect(headers.map((each) => each.toLowerCase())).not.toContain('authorization');
  });
});

test('a redirect to another registry gets no token of the gateway for that', async () => {
  const { registry, service } = await setup();
  const first = await ociRegistry();
  first.origin.handle(blob(), (_request, response) => {
    response.writeHead(307, { Location: registry.origin.url + blob(), 'Content-Length': 0 }).end();
  });
  const shared = { ecosystem: 'oci', redirects: 'follow', hosts: [service.host] } as const;
  const gateway = await testGateway({
    mounts: [
      { path: '/v2', url: first.url, ...shared },
      { path: '/v2/second.test', url: registry.url, ...shared },
    ],
  });
  expect((await gateway.get(blob())).status).toBe(401);
  expect(service.asked()).toEqual([]);
  expect((await gateway.get(blob('second.test/team/app'))).body.toString()).toBe(layer);
  expect((await gateway.get(blob())).status).toBe(401);
});

describe('a token service', () => {
  test('that nobody allowed is not asked, and the log names it', async () => {
    const { service, gateway } = await setup({ hosts: [] }, 'Basic bWU6bWU=');
    const answer = await gateway.get(blob());
    expect([answer.status, answer.body.toString()]).toEqual([
      403,
      expect.stringContaining(service.host),
    ]);
    expect(answer.field('www-authenticate')).toBeUndefined();
    expect(service.asked()).toEqual([]);
    const line = gateway.log().find(({ level }) => level === 'warn');
    expect(line?.reason).toContain(service.host);
  });

  test('that redirects is not followed', async () => {
    const { service, gateway } = await setup({}, 'Basic bWU6bWU=');
    const stranger = await httpOrigin();
    service.answer = { status: 302, headers: { Location: `${stranger.url}/token` } };
    expect((await gateway.get(blob())).status).toBe(401);
    expect(stranger.requests).toEqual([]);
    expect(gateway.log().some(({ status, url }) => status === 302 && url !== undefined)).toBe(true);
  });

  test.each([429, 503])(
    'that answers %i makes the image stale, not unauthorized',
    async (status) => {
      const { clock, registry, service, gateway } = await setup({ defaultTtl: 300_000 });
      registry.push('team/app', 'other', 'another layer');
      await gateway.get(tag);
      await untilSettled(gateway);
      clock.advance(600_000);
      service.revoke();
      service.answer = { status };
      expect((await gateway.get(tag)).status).toBe(200);
      expect((await gateway.get('/v2/team/app/manifests/other')).status).toBe(502);
    },
  );

  test('whose answer is no token, or has no end, leaves the refusal as it is', async () => {
    const { registry, service, gateway } = await setup();
    service.origin.handle('/token', (_request, response) => void response.end('<html>'));
    expect((await gateway.get(blob())).status).toBe(401);
    const piece = Buffer.alloc(64 * 1024, 'x');
    service.origin.handle('/token', (_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(piece));
      };
      response.on('drain', more);
      more();
    });
    expect((await gateway.get(blob())).status).toBe(401);
    expect(registry.asked()).toHaveLength(2);
  });
});

import { text } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { gatewayProcess } from './support/gateway-process.ts';
import { isolatedIfPossible } from './support/isolated.ts';
import { jsClients, skipWithoutJsTools } from './support/js-clients.ts';
import { jsProject } from './support/js-project.ts';
import { type NpmProject, npmProject } from './support/npm-project.ts';
import { type NpmRegistry, npmRegistry } from './support/npm-registry.ts';
import { skipWithout } from './support/tools.ts';

const nail = { name: 'nail', version: '1.0.0' };
const secret = { name: '@ours/secret', version: '1.0.0' };
const bulk = '/-/npm/v1/security/advisories/bulk';

async function setup(packages = [nail]) {
  const registry = await npmRegistry(packages);
  const upstreams = [{ url: registry.origin.url }];
  const gateway = await gatewayProcess({
    mounts: [{ path: '/npm', ecosystem: 'npm', upstreams }],
  });
  return { registry, gateway, network: await isolatedIfPossible(gateway.url) };
}

type Setup = Awaited<ReturnType<typeof setup>>;

/** A project of npm's that sends a token to the gateway. */
function projectWithToken(
  { gateway, network }: Pick<Setup, 'gateway' | 'network'>,
  dependencies: Readonly<Record<string, string>>,
  token = 'a-token',
): Promise<NpmProject> {
  const npmrc = [`${gateway.url.replace('http:', '')}/npm/:_authToken=${token}`];
  return npmProject(dependencies, { registry: `${gateway.url}/npm`, network, npmrc });
}

/** Answers audits; the bodies that came, unpacked. */
function auditsOf({ origin }: NpmRegistry): string[] {
  const bodies: string[] = [];
  origin.handle(bulk, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const isPacked = request.headers['content-encoding'] === 'gzip';
    bodies.push((isPacked ? gunzipSync(body) : body).toString());
    const advisory = {
      id: 1,
      url: 'https://advisories.example.com/1',
      title: 'Bends',
      severity: 'high',
      vulnerable_versions: '<2.0.0',
      cwe: [],
      cvss: { score: 0, vectorString: null },
    };
    const type = { 'Content-Type': 'application/json', 'Cache-Control': 'public, max-age=300' };
    response.writeHead(200, type).end(JSON.stringify({ nail: [advisory] }));
  });
  return bodies;
}

function upstreamRequests({ origin }: NpmRegistry, method: string): string[] {
  return origin.requests.filter((each) => each.method === method).map(({ target }) => target);
}

describe.skipIf(skipWithout('npm'))('npm', () => {
  test('audits by what the registry says now, each time', async () => {
    const made = await setup();
    const bodies = auditsOf(made.registry);
    const project = await projectWithToken(made, { nail: '1' });
    await project.npm('install');
    for (let i = 0; i < 2; i++) {
      const { code, output } = await project.attempt('audit', '--audit=true');
      expect(code).toBe(1);
      expect(output).toContain('Bends');
    }
    expect(bodies).toHaveLength(2);
    expect(JSON.parse(bodies[0] ?? '')).toEqual({ nail: ['1.0.0'] });
  });

  test('asks who it is, whether the registry is there, and what it has, of the registry itself', async () => {
    const made = await setup();
    const { origin } = made.registry;
    origin.handle('/-/whoami', (request, response) => {
      const name = request.headers.authorization === 'Bearer a-token' ? 'smith' : 'nobody';
      response.end(JSON.stringify({ username: name }));
    });
    origin.handle('/-/ping', (_request, response) => void response.end('{}'));
    const found = { name: 'nail', version: '1.0.0', date: '2026-01-01T00:00:00.000Z' };
    const objects = [{ package: { ...found, maintainers: [], keywords: [] } }];
    origin.handle('/-/v1/search', (_request, response) => {
      response.end(JSON.stringify({ objects, total: 1, time: found.date }));
    });
    const project = await projectWithToken(made, {});
    for (let i = 0; i < 2; i++) {
      expect((await project.npm('whoami')).output).toBe('smith\n');
      await project.npm('ping');
      expect((await project.npm('search', 'nail')).output).toContain('1.0.0');
    }
    expect(upstreamRequests(made.registry, 'GET')).toHaveLength(6);
  });

  test('moves a tag, and the next install gets what it names', async () => {
    const made = await setup([nail, { name: 'nail', version: '2.0.0' }]);
    const { registry } = made;
    registry.origin.handle('/-/package/nail/dist-tags', (_request, response) => {
      response.end('{"latest":"2.0.0"}');
    });
    registry.origin.handle('/-/package/nail/dist-tags/old', async (request, response) => {
      registry.tag('nail', 'old', JSON.parse(await text(request)) as string);
      response.writeHead(201, { 'Content-Type': 'application/json' }).end('{"ok":true}');
    });
    const before = await projectWithToken(made, { nail: 'latest' });
    await before.npm('install');
    expect(await before.installed('nail')).toBe('nail 2.0.0');
    await before.npm('dist-tag', 'add', 'nail@1.0.0', 'old');
    const after = await projectWithToken(made, { nail: 'old' });
    await after.npm('install');
    expect(await after.installed('nail')).toBe('nail 1.0.0');
    expect(upstreamRequests(registry, 'PUT')).toEqual(['/-/package/nail/dist-tags/old']);
  });

  test('gets private packages with a token, and nobody gets them without', async () => {
    const made = await setup([secret]);
    const { origin } = made.registry;
    for (const path of ['/@ours%2fsecret', '/@ours/secret/-/secret-1.0.0.tgz']) {
      const open = origin.handlerOf(path);
      origin.handle(path, (request, response) => {
        // As registries do that say nothing of caches.
        const setHeader = response.writeHead.bind(response);
        response.writeHead = ((status: number, fields: Record<string, string>) => {
          const { 'Cache-Control': _, ...rest } = fields;
          return setHeader(status, rest);
        }) as typeof response.writeHead;
        if (request.headers.authorization === 'Bearer a-token') return open?.(request, response);
        response.writeHead(401, { 'Content-Length': '0' }).end();
      });
    }
    const mine = await projectWithToken(made, { '@ours/secret': '1' });
    await mine.npm('install');
    expect(await mine.installed('@ours/secret')).toBe('@ours/secret 1.0.0');
    const others = await projectWithToken(made, { '@ours/secret': '1' }, 'another-token');
    const { code, errors } = await others.attempt('install');
    expect(code).not.toBe(0);
    expect(errors).toContain('E401');
  });
});

describe.skipIf(skipWithoutJsTools())('audits of', () => {
  const audits: Readonly<Record<string, readonly string[]>> = {
    'pnpm 12': ['audit'],
    'yarn 4': ['npm', 'audit'],
  };
  for (const client of jsClients.filter(({ id }) => Object.hasOwn(audits, id))) {
    test(`${client.id} ask the registry each time`, async () => {
      const { registry, gateway, network } = await setup();
      const bodies = auditsOf(registry);
      const options = { client, registry: `${gateway.url}/npm`, network };
      const project = await jsProject({ nail: '^1.0.0' }, options);
      await project.install();
      for (let i = 0; i < 2; i++) {
        const { output } = await project.attempt(...(audits[client.id] ?? []));
        expect(output).toContain('Bends');
      }
      expect(bodies).toHaveLength(2);
    });
  }
});

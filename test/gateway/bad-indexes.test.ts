import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type TestGateway, testGateway } from '../support/gateway.ts';
import { type HttpOrigin, httpOrigin } from '../support/http-origin.ts';
import { type IndexCase, indexCases } from './bad-index-table.ts';

const fresh = { 'Cache-Control': 'max-age=600' };
/** 96 MiB of blanks in 96 KiB. */
const bomb = gzipSync(Buffer.alloc(96 * 2 ** 20, ' '));
const notDocuments = ['<html>Log in here</html>', '\0\u0001\u0002', '12', 'null', '"x"', ''];

interface Setup {
  readonly origin: HttpOrigin;
  /** A host on a private address that the mount has nothing to do with. */
  readonly victim: HttpOrigin;
  readonly gateway: TestGateway;
  /** Serves the index with this body. */
  index(body: string | Buffer, headers?: Readonly<Record<string, string>>): void;
  /** Asks the gateway for the index, or for another path below the mount. */
  get(path?: string): ReturnType<TestGateway['get']>;
  /** The line of the last request. */
  line(): Record<string, unknown> | undefined;
}

async function setup(each: IndexCase): Promise<Setup> {
  const [origin, victim] = [await httpOrigin(), await httpOrigin()];
  const { ecosystem, path, type, headers = {} } = each;
  const mount = { path: '/it', ecosystem, url: `${origin.url}/base`, redirects: 'follow' } as const;
  const gateway = await testGateway({ config: { forwardProxy: { allow: [] } }, mounts: [mount] });
  return {
    origin,
    victim,
    gateway,
    index(body, more) {
      origin.serve(`/base${path}`, { body, headers: { ...fresh, 'Content-Type': type, ...more } });
    },
    get: (below = path) => gateway.get(`/it${below}`, { headers }),
    line: () => gateway.log().findLast(({ msg }) => msg === 'request'),
  };
}

/** What the origin was asked for since then. */
function since({ origin }: Setup, before: number): readonly string[] {
  return origin.requests.slice(before).map(({ target }) => target);
}

describe.each(indexCases.map((each) => [`${each.ecosystem}: ${each.path}`, each] as const))(
  '%s',
  (_name, each) => {
    test.each(notDocuments)('that is %j comes as it is', async (body) => {
      const made = await setup(each);
      made.index(body);
      const answer = await made.get();
      expect([answer.status, answer.body.toString(), answer.aborted]).toEqual([200, body, false]);
    });

    test('that is cut off is refused where it would be changed, and says why', async () => {
      const made = await setup(each);
      const whole = each.document(`${made.origin.url}/base${each.file}`, each.digest);
      const part = whole.slice(0, -3);
      made.index(part);
      const answer = await made.get();
      if (each.gateway === 'changes') {
        expect(answer.status).toBe(502);
        expect(made.line()).toMatchObject({ error: 'http_protocol_error' });
        expect(String(made.line()?.detail)).toContain('ends before');
      } else expect(answer.status).toBe(200);
      if (each.gateway === 'keeps') expect(answer.body.toString()).toBe(part);
    });

    test('that unpacks to far too much is not unpacked, and the log says so', async () => {
      const made = await setup(each);
      made.index(bomb, { 'Content-Encoding': 'gzip' });
      made.origin.serve(`/base${each.file}`, { body: 'a file', headers: fresh });
      const answer = await made.get();
      if (each.gateway === 'keeps') expect(answer.body.equals(bomb)).toBe(true);
      else {
        expect(answer.aborted).toBe(true);
        expect(answer.body.length).toBeLessThan(bomb.length * 1024);
        expect(String(made.line()?.detail)).toContain('unpacks to more than');
      }
      // It tells nothing of the file, which is served as without it.
      expect((await made.get(each.file)).body.toString()).toBe('a file');
    });

    test('that leads to a private host leads nobody there through the gateway', async () => {
      const made = await setup(each);
      const { origin, victim } = made;
      const elsewhere = victim.url + each.file;
      victim.serve(each.file, { body: 'a secret' });
      made.index(each.document(elsewhere, each.digest));
      expect((await made.get()).body.toString()).toBe(each.document(elsewhere, each.digest));

      const link = await made.get(`/-/at/http/127.0.0.1:${victim.port}${each.file}`);
      expect(link.status).toBeGreaterThanOrEqual(400);
      origin.handle(`/base${each.file}`, (_request, response) => {
        response.writeHead(302, { Location: elsewhere }).end();
      });
      expect((await made.get(each.file)).status).toBe(502);
      expect(String(made.line()?.detail)).toContain('private address');
      expect(victim.requests).toEqual([]);
    });

    test('with digests that nobody knows does not keep the file from anyone, and the log says so', async () => {
      const made = await setup(each);
      made.index(each.document(`${made.origin.url}/base${each.file}`, each.digest));
      made.origin.serve(`/base${each.file}`, { body: 'a file', headers: fresh });
      await made.get();
      expect((await made.get(each.file)).body.toString()).toBe('a file');
      const said = made.gateway.log().map(({ msg }) => msg);
      const notChecked = 'the index has no digest of it that can be checked';
      if (each.digest !== '') expect(said).toContain(notChecked);
      expect(said).not.toContain('a body without the digest it must have was refused');
    });

    test.for(each.names)('beside names such as %s, which are refused unasked', async (name) => {
      const made = await setup(each);
      const answer = await made.get(name);
      expect(answer.status).toBe(400);
      expect(since(made, 0)).toEqual([]);
      expect(String(made.line()?.detail)).toContain('dot segment');
    });
  },
);

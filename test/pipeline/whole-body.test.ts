import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/core/errors.ts';
import type { Logger } from '../../src/core/logger.ts';
import type { RequestRecord } from '../../src/core/request-record.ts';
import type { Answer } from '../../src/pipeline/answer.ts';
import type { Resource } from '../../src/pipeline/resource.ts';
import { Serve } from '../../src/pipeline/serve.ts';
import { mayBeWhole } from '../../src/pipeline/whole-body.ts';
import { createMemoryStore } from '../../src/storage/engines/memory.ts';
import type { PartialBody, Store } from '../../src/storage/store.ts';
import type { BodySink } from '../../src/upstream/upstream.ts';
import { plainResource } from '../support/plain-resource.ts';
import { until } from '../support/until.ts';
import { FakeResponse } from './fake-response.ts';

const url = 'http://origin.test/file';
const text = '0123456789';

/** A response of which all is here with its head. */
class HereResponse extends FakeResponse {
  readonly #body: Buffer;
  /** How its body was had. */
  had: 'at once' | 'as it comes' | undefined;

  constructor(body: string, fields: readonly string[] = []) {
    const own = ['Cache-Control', 'max-age=60', 'Content-Length', String(body.length)];
    super(200, [...own, ...fields], url);
    this.#body = Buffer.from(body);
  }

  override takeWhole(size: number, take: (body: Uint8Array) => boolean): boolean {
    if (size !== this.#body.length || !take(this.#body)) return false;
    this.had = 'at once';
    // Something else is read into its memory.
    this.#body.fill(0xee);
    return true;
  }

  override consume(sink: BodySink): void {
    super.consume(sink);
    this.had = 'as it comes';
    queueMicrotask(() => {
      this.data(this.#body);
      this.end();
    });
  }
}

interface Fixture {
  readonly serve: Serve;
  readonly store: Store;
  readonly responses: HereResponse[];
  readonly warnings: string[];
  ask(request?: AskOptions): Promise<{ record: RequestRecord; body: string; answer: Answer }>;
}

interface AskOptions {
  readonly method?: string;
  readonly headers?: readonly string[];
  readonly classification?: Resource['classification'];
}

interface FixtureOptions {
  readonly body?: string;
  /** What stands between the pipeline and the memory store. */
  readonly around?: (store: Store) => Partial<Store>;
  /** What each request to the upstream waits for. */
  readonly upstream?: Promise<void>;
}

function fixture({ body = text, around, upstream }: FixtureOptions = {}): Fixture {
  const responses: HereResponse[] = [];
  const warnings: string[] = [];
  const memory = createMemoryStore({ maxBytes: 10_000_000 });
  const store: Store = around ? proxied(memory, around(memory)) : memory;
  const note = (_fields: unknown, message: string) => void warnings.push(message);
  const serve = new Serve({
    store,
    downloader: {
      fetch: async () => {
        await upstream;
        const response = new HereResponse(body);
        responses.push(response);
        return response;
      },
      connections: () => 1,
      next: () => undefined,
      explain: () => {
        throw new Error('nobody asks');
      },
    },
    log: { warn: note, info: note } as unknown as Logger,
    now: () => 1_000,
    via: () => '1.1 test',
  });
  const ask: Fixture['ask'] = async ({ method = 'GET', headers = [], classification } = {}) => {
    const resource = plainResource({ method, url, headers, receivedAt: 0 }, classification);
    const record: RequestRecord = {
      ...{ surface: 'mount', method, target: '/file', client: '', startedAt: 0 },
      ...{ ecosystem: 'generic', outcome: 'refused', status: 0, cacheStatus: {} },
      ...{ bytesOut: 0, bytesIn: 0 },
    };
    const left = new AbortController().signal;
    const client = { left, connection: undefined, interim: () => undefined };
    const answer = await serve.answer(resource, record, client);
    return { record, answer, body: await textOf(answer) };
  };
  return { serve, store, responses, warnings, ask };
}

function proxied(store: Store, changes: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const own: unknown = Reflect.get(changes, name) ?? Reflect.get(target, name);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}

async function textOf({ body }: Answer): Promise<string> {
  if (body.kind === 'none') return '';
  if (body.kind === 'bytes') return Buffer.from(body.bytes).toString();
  const chunks: string[] = [];
  for (let chunk = await body.reader.next(); chunk; chunk = await body.reader.next()) {
    chunks.push(Buffer.from(chunk).toString());
  }
  body.reader.close();
  return chunks.join('');
}

/** Commits wait for `release`, and are counted. */
function heldCommits() {
  const gate = Promise.withResolvers<void>();
  const counts = { begun: 0 };
  const around = (store: Store): Partial<Store> => ({
    begin: async (...asked) => {
      const partial = await store.begin(...asked);
      const commitNow: PartialBody['commit'] = partial.commit.bind(partial);
      const commit: PartialBody['commit'] = async (...what) => {
        counts.begun += 1;
        await gate.promise;
        return commitNow(...what);
      };
      return Object.assign(partial, { commit });
    },
  });
  return { around, counts, release: () => gate.resolve() };
}

function failing(code: 'storage_full' | 'storage_failed'): () => Promise<never> {
  return () => Promise.reject(new GatewayError(code, 'as the test says', { origin: 'storage' }));
}

const digest = {
  algorithm: 'sha256',
  hex: createHash('sha256').update(text).digest('hex'),
} as const;

describe('a small body that came with its head', () => {
  test('is had at once, and is in the store when nothing is on its way any more', async () => {
    const { ask, serve, responses } = fixture();
    const { record, body, answer } = await ask();
    expect(body).toBe(text);
    expect(answer.body.kind).toBe('bytes');
    expect(answer.bytesIn?.()).toBe(10);
    expect(record).toMatchObject({
      outcome: 'miss',
      upstream: 'http://origin.test',
      cacheStatus: { fwd: 'uri-miss', fwdStatus: 200, stored: true },
    });
    await until(() => serve.activity.fills === 0, 'the body to be stored');
    const again = await ask();
    expect([again.body, again.record.outcome]).toEqual([text, 'hit']);
    expect(responses.map(({ had }) => had)).toEqual(['at once']);
  });

  test('is one request for those who come at once, and for who comes while it is being stored', async () => {
    const { around, counts, release } = heldCommits();
    const { ask, serve, responses } = fixture({ around });
    const herd = await Promise.all(Array.from({ length: 20 }, () => ask()));
    await until(() => counts.begun === 1, 'the commit');
    expect(serve.activity.fills).toBe(1);
    const late = await ask();
    for (const { body } of [...herd, late]) expect(body).toBe(text);
    const [leader, ...others] = herd.map(({ record }) => record.outcome);
    expect(leader).toBe('miss');
    expect(new Set([...others, late.record.outcome])).toEqual(new Set(['collapsed']));
    expect(late.record.cacheStatus).toMatchObject({ collapsed: true });
    expect(late.answer.bytesIn).toBeUndefined();
    release();
    await until(() => serve.activity.fills === 0, 'the body to be stored');
    expect((await ask()).record.outcome).toBe('hit');
    expect(responses).toHaveLength(1);
  });

  test('answers ranges, several of them in any order, conditions and HEAD as what is stored does', async () => {
    const part = await fixture().ask({ headers: ['Range', 'bytes=2-4'] });
    expect([part.answer.status, part.body]).toEqual([206, '234']);
    expect(part.answer.bytesIn?.()).toBe(10);
    const parts = await fixture().ask({ headers: ['Range', 'bytes=8-9,0-1'] });
    expect(parts.answer.status).toBe(206);
    expect(parts.body).toMatch(/\r\n\r\n89\r\n[\s\S]*\r\n\r\n01\r\n/);
    const beyond = await fixture().ask({ headers: ['Range', 'bytes=10-'] });
    expect([beyond.answer.status, beyond.body]).toEqual([416, '']);
    const any = await fixture().ask({ headers: ['If-Range', '"x"', 'Range', 'bytes=2-4'] });
    expect([any.answer.status, any.body]).toEqual([200, text]);
    const classification = { kind: 'artifact', wholeForHead: true } as const;
    const headed = fixture();
    const head = await headed.ask({ method: 'HEAD', classification });
    expect(head.answer).toMatchObject({ status: 200, body: { kind: 'none' } });
    expect(head.answer.headers).toContain('10');
    await until(() => headed.serve.activity.fills === 0, 'the body to be stored');
    expect((await headed.ask()).record.outcome).toBe('hit');
  });

  test('may be empty', async () => {
    const { ask, serve, responses } = fixture({ body: '' });
    expect((await ask()).answer.headers).toContain('0');
    await until(() => serve.activity.fills === 0, 'the body to be stored');
    expect((await ask()).record.outcome).toBe('hit');
    expect(responses.map(({ had }) => had)).toEqual(['at once']);
  });

  test.each([
    ['an artifact with its digest', { kind: 'artifact', digest }],
    [
      'one of another algorithm',
      {
        kind: 'artifact',
        digest: { algorithm: 'sha512', hex: createHash('sha512').update(text).digest('hex') },
      },
    ],
  ] as const)('is held against the digest that it must have: %s', async (_what, classification) => {
    const { ask, responses } = fixture();
    expect((await ask({ classification })).body).toBe(text);
    expect(responses.map(({ had }) => had)).toEqual(['at once']);
  });

  test('is refused with another digest, held against who brought it, and not stored', async () => {
    const { ask, store, responses, warnings } = fixture({ body: '012345678x' });
    const classification = { kind: 'artifact', digest } as const;
    const asked = await Promise.allSettled([ask({ classification }), ask({ classification })]);
    for (const each of asked) {
      expect(each).toMatchObject({ status: 'rejected', reason: { code: 'digest_mismatch' } });
    }
    expect(responses.map(({ faults }) => faults)).toEqual([['wrong-bytes']]);
    expect(warnings).toContain('a body without the digest it must have was refused');
    expect(await store.get(url)).toEqual([]);
  });
});

describe('a store that has trouble with it', () => {
  test('that has no space for it costs nobody anything', async () => {
    const { ask, warnings, responses } = fixture({
      around: () => ({ begin: failing('storage_full') }),
    });
    const { body, record } = await ask();
    expect(body).toBe(text);
    expect(record.cacheStatus.stored).toBe(false);
    expect(warnings).toEqual(['not stored']);
    expect(responses.map(({ had }) => had)).toEqual(['as it comes']);
  });

  test('that fails at its end does not either: it is fetched again', async () => {
    const ends: string[] = [];
    const { ask, serve, warnings, responses } = fixture({
      around: (store) => ({
        begin: async (...asked) =>
          Object.assign(await store.begin(...asked), {
            commit: failing('storage_failed'),
            discard: async () => void ends.push('discarded'),
            release: () => void ends.push('released'),
          }),
      }),
    });
    expect((await ask()).body).toBe(text);
    await until(() => serve.activity.fills === 0, 'the failure');
    expect(warnings).toEqual(['not stored']);
    expect(ends).toEqual(['discarded', 'released']);
    expect((await ask()).record.outcome).toBe('miss');
    expect(responses).toHaveLength(2);
  });

  test('that takes no bytes is told of, and nothing is committed', async () => {
    const failure = new Error('as the test says');
    const { ask, serve, store, warnings } = fixture({
      around: (store) => ({
        begin: async (...asked) => {
          const partial = await store.begin(...asked);
          return Object.defineProperty(partial, 'failure', { value: failure });
        },
      }),
    });
    const { body, record } = await ask();
    expect(body).toBe(text);
    expect(record.cacheStatus.stored).toBe(false);
    await until(() => serve.activity.fills === 0, 'the end of it');
    expect(warnings).toEqual(['not stored']);
    expect(await store.get(url)).toEqual([]);
    expect(store.stats().partialBytes).toBe(0);
  });
});

describe('what is forgotten', () => {
  test('while it is being stored answers nobody who comes later', async () => {
    const { around, counts, release } = heldCommits();
    const { ask, serve, responses } = fixture({ around });
    await ask();
    await until(() => counts.begun === 1, 'the commit');
    serve.forget((each) => each === url);
    expect((await ask()).record.outcome).toBe('miss');
    expect(responses).toHaveLength(2);
    release();
    await until(() => serve.activity.fills === 0, 'both to be stored');
  });

  test('before it came is answered with, and not stored', async () => {
    const upstream = Promise.withResolvers<void>();
    const { ask, serve, store } = fixture({ upstream: upstream.promise });
    const asked = ask();
    // Until the request is on its way.
    await until(() => true);
    serve.forget((each) => each === url);
    upstream.resolve();
    expect((await asked).body).toBe(text);
    await until(() => serve.activity.fills === 0, 'the end of it');
    expect(await store.get(url)).toEqual([]);
  });
});

test.each([
  [true, 'a plain document', { kind: 'index', freshness: 'rfc9111' }],
  [
    true,
    'a document with an entity tag of ours',
    { kind: 'index', freshness: 'rfc9111', ownEtag: true },
  ],
  [true, 'an artifact', { kind: 'artifact' }],
  [false, 'one that others have to fit', { kind: 'index', freshness: 'rfc9111', names: true }],
  [false, 'one that has to fit another', { kind: 'index', freshness: 'rfc9111', fits: url }],
  [false, 'one whose client has its say', { kind: 'artifact', expected: digest }],
  [false, 'one with its digest in a field', { kind: 'artifact', digestField: 'etag' }],
] as const)('that it is taken at once is %s for %s', (may, _what, classification) => {
  const resource = plainResource(
    { method: 'GET', url, headers: [], receivedAt: 0 },
    classification,
  );
  expect(mayBeWhole(resource, 64 * 1024)).toBe(may);
  expect(mayBeWhole(resource, 64 * 1024 + 1)).toBe(false);
  expect(mayBeWhole({ ...resource, places: { urls: [url], size: 10 } }, 10)).toBe(false);
});

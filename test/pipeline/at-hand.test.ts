import { describe, expect, test } from 'vitest';
import type { ArtifactMeta } from '../../src/core/artifact-meta.ts';
import type { RawHeaders } from '../../src/core/raw-headers.ts';
import { AtHand } from '../../src/pipeline/at-hand.ts';
import type { Resource } from '../../src/pipeline/resource.ts';
import { createMemoryStore } from '../../src/storage/engines/memory.ts';
import { plainResource } from '../support/plain-resource.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const url = 'http://registry.test/a';
const bytes = Buffer.from('hello');

async function setup(headers: RawHeaders = ['Cache-Control', 'max-age=60', 'ETag', '"one"']) {
  const store = createMemoryStore({ maxBytes: 1024 * 1024 });
  const body = await store.begin(bytes.length);
  body.write(0, bytes);
  const meta: ArtifactMeta = {
    status: 200,
    headers,
    vary: [],
    requestTime: now - 10_000,
    responseTime: now - 10_000,
    body: { sha256: 'a'.repeat(64), size: bytes.length },
  };
  await body.commit(url, meta);
  return { store, atHand: new AtHand({ store, now: () => now }) };
}

function resource(
  fields: RawHeaders = [],
  classification?: Resource['classification'],
  method = 'GET',
): Resource {
  const headers = ['Host', 'x', ...fields];
  return plainResource({ method, url, headers, receivedAt: now }, classification);
}

test('what is fresh and in memory is at hand, with its age', async () => {
  const { atHand } = await setup();
  expect(atHand.answer(resource())).toMatchObject({
    answer: {
      status: 200,
      headers: ['Cache-Control', 'max-age=60', 'ETag', '"one"', 'Age', '10', 'Content-Length', '5'],
      body: { kind: 'bytes', bytes },
    },
    notes: { outcome: 'hit', cacheStatus: { hit: true, ttl: 50 } },
  });
});

test('a HEAD has the fields alone, a condition that fails a 304', async () => {
  const { atHand } = await setup();
  const head = atHand.answer(resource([], { kind: 'index', freshness: 'rfc9111' }, 'HEAD'));
  expect(head?.answer).toMatchObject({ status: 200, body: { kind: 'none' } });
  expect(head?.answer.headers.slice(-2)).toEqual(['Content-Length', '5']);
  const same = atHand.answer(resource(['If-None-Match', '"one"']));
  expect(same?.answer).toMatchObject({ status: 304, body: { kind: 'none' } });
});

test('the fields that the ecosystem chose by are named in Vary', async () => {
  const { atHand } = await setup();
  const classification = { kind: 'index', freshness: 'rfc9111', vary: ['accept'] } as const;
  const found = atHand.answer(resource([], classification));
  expect(found?.answer.headers).toEqual(expect.arrayContaining(['Vary', 'accept']));
});

describe('not at hand is', () => {
  const fresh = 'rfc9111';
  const pinnedBy = { urls: [], find: () => ({ push: () => true, pin: () => undefined }) };
  const rewrite = { id: 'x', create: () => ({ push: () => [], end: () => [] }) };
  test.each<[string, Resource]>([
    ['a range', resource(['Range', 'bytes=0-1'])],
    ['what a condition of the origin decides', resource(['If-Match', '"two"'])],
    ['what the client wants anew', resource(['Cache-Control', 'no-cache'])],
    ['what another method asks for', resource([], undefined, 'POST')],
    [
      'a document that names others',
      resource([], { kind: 'index', freshness: fresh, names: true }),
    ],
    ['one that is named', resource([], { kind: 'index', freshness: fresh, pinnedBy })],
    ['one that fits a version', resource([], { kind: 'index', freshness: fresh, fits: url })],
    ['one that is rewritten', resource([], { kind: 'index', freshness: fresh, rewrite })],
    ['one with a tag of ours', resource([], { kind: 'index', freshness: fresh, ownEtag: true })],
    [
      'what is held to a pin',
      { ...resource([], { kind: 'artifact' }), places: { urls: [], size: 1 } },
    ],
  ])('%s', async (_what, asked) => {
    const { atHand } = await setup();
    expect(atHand.answer(asked)).toBeUndefined();
  });

  test('what is stale', async () => {
    const { atHand } = await setup(['Cache-Control', 'max-age=9']);
    expect(atHand.answer(resource())).toBeUndefined();
  });

  test('what is not in memory', async () => {
    const { atHand, store } = await setup();
    await store.delete(url);
    expect(atHand.answer(resource())).toBeUndefined();
  });
});

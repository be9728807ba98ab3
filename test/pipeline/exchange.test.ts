import { expect, test } from 'vitest';
import type { Logger } from '../../src/core/logger.ts';
import { Exchange } from '../../src/pipeline/exchange.ts';
import { InFlight } from '../../src/pipeline/in-flight.ts';
import { PublishedDigests } from '../../src/pipeline/published-digests.ts';
import type { Resource } from '../../src/pipeline/resource.ts';
import { createMemoryStore } from '../../src/storage/engines/memory.ts';
import type { DownloadRequest } from '../../src/upstream/downloader.ts';
import { FakeResponse } from './fake-response.ts';

const url = 'https://origin.test/file';

function resource(headers: readonly string[] = []): Resource {
  return {
    request: {
      surface: 'mount',
      method: 'GET',
      url,
      headers,
      upstreams: [],
      trusted: true,
      ecosystem: 'generic',
      receivedAt: 0,
    },
    classification: { kind: 'index', freshness: 'rfc9111' },
    policy: {
      freshness: 'rfc9111',
      negativeTtl: 10,
      staleIfError: 0,
      staleOnDisconnect: true,
      storeSetCookie: 'explicit',
      storeServerErrors: true,
      targetedFields: [],
    },
    redirects: 'forward',
    indexes: 'ordered',
  };
}

/** An exchange whose upstream gives the response; what it was asked. */
function exchangeWith(response: FakeResponse): { exchange: Exchange; asked: DownloadRequest[] } {
  const asked: DownloadRequest[] = [];
  const options = {
    store: createMemoryStore({ maxBytes: 1_000_000 }),
    downloader: {
      fetch: async (request: DownloadRequest) => {
        asked.push(request);
        return Object.assign(response, { attempts: [], mirror: undefined, demote: () => {} });
      },
      connections: () => 1,
      next: () => 'http://upstream.example',
      explain: () => {
        throw new Error('nobody asks');
      },
    },
    log: {} as Logger,
    now: () => 0,
    via: (existing: string | undefined) =>
      existing === undefined ? '1.1 us' : `${existing}, 1.1 us`,
  };
  const digests = new PublishedDigests(options, new InFlight());
  return { exchange: new Exchange(options, digests), asked };
}

test('a body over TLS that ends with its connection is not shared: a cut would look the same', async () => {
  const fresh = ['Cache-Control', 'max-age=60'];
  const unframed = exchangeWith(new FakeResponse(200, fresh, url));
  expect(await unframed.exchange.fetch(resource(), undefined)).toMatchObject({
    kind: 'unshared',
    reason: 'no-length',
  });
  const framed = exchangeWith(new FakeResponse(200, [...fresh, 'Content-Length', '0'], url));
  expect(await framed.exchange.fetch(resource(), undefined)).toMatchObject({ kind: 'fill' });
});

test('the shared request asks for the whole, without the client’s own conditions, and names us', async () => {
  const { exchange, asked } = exchangeWith(new FakeResponse(200, ['Content-Length', '0'], url));
  const conditions = ['Range', 'bytes=0-1', 'If-None-Match', '"x"', 'If-Range', '"y"'];
  await exchange.fetch(resource([...conditions, 'Accept', 'a/b', 'Via', '1.0 other']), undefined);
  expect(asked[0]?.headers).toEqual(['Accept', 'a/b', 'Via', '1.0 other, 1.1 us']);
});

test('a part where the whole was asked for is refused', async () => {
  const { exchange } = exchangeWith(new FakeResponse(206, ['Content-Range', 'bytes 0-1/2'], url));
  await expect(exchange.fetch(resource(), undefined)).rejects.toMatchObject({
    code: 'http_protocol_error',
  });
});

test('a 304 to a request without conditions is refused, once', async () => {
  const { exchange, asked } = exchangeWith(new FakeResponse(304, [], url));
  await expect(exchange.fetch(resource(), undefined)).rejects.toMatchObject({
    code: 'http_protocol_error',
  });
  expect(asked).toHaveLength(1);
});

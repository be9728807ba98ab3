import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { testGateway } from '../support/gateway.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { untilSettled } from '../support/settled.ts';

const mebibyte = 2 ** 20;
const size = 12 * mebibyte;
const body = generatedBytes('parallel', 0, size);
const etag = '"v1"';

interface Count {
  sent: number;
  /** Whether parts were asked for. */
  parts: boolean;
}

type Answer = (
  request: IncomingMessage,
  reply: ServerResponse,
  count: Count,
) => Promise<void> | void;

/** So slow that more than one connection seems worthwhile, until another one was asked for. */
async function pour(reply: ServerResponse, bytes: Uint8Array, count: Count): Promise<void> {
  for (let at = 0; at < bytes.length && !reply.destroyed; at += 100_000) {
    const piece = bytes.subarray(at, at + 100_000);
    reply.write(piece);
    count.sent += piece.length;
    await setTimeout(count.parts ? 5 : 30);
  }
  reply.end();
}

function rangeOf({ headers }: IncomingMessage): { first: number; last: number } | undefined {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
  return first === undefined ? undefined : { first: Number(first), last: Number(last) };
}

const honest: Answer = (request, reply, count) => {
  const { first, last } = rangeOf(request) ?? { first: 0, last: size - 1 };
  const fields = { ETag: etag, 'Content-Length': last - first + 1, 'Cache-Control': 'max-age=60' };
  if (request.headers.range === undefined) reply.writeHead(200, fields);
  else reply.writeHead(206, { ...fields, 'Content-Range': `bytes ${first}-${last}/${size}` });
  return pour(reply, body.subarray(first, last + 1), count);
};

async function setup(part: Answer) {
  const origin = await httpOrigin();
  const count = { sent: 0, parts: false };
  origin.handle('/big', (request, reply) => {
    count.parts ||= request.headers.range !== undefined;
    void (request.headers.range === undefined ? honest : part)(request, reply, count);
  });
  const limits = { concurrency: undefined, ecosystems: [], connections: 8, bandwidth: undefined };
  const gateway = await testGateway({
    config: { limits },
    mounts: [{ path: '/files', url: origin.url }],
  });
  return { origin, gateway, count };
}

test('a large object comes over several connections, once', async () => {
  const { origin, gateway, count } = await setup(honest);
  const answer = await gateway.get('/files/big');
  expect(answer.body.equals(body)).toBe(true);
  expect(origin.requests.length).toBeGreaterThan(1);
  // What was on its way on a connection whose end another one took.
  expect(count.sent).toBeLessThan(1.3 * size);
  await untilSettled(gateway);
  const again = await gateway.get('/files/big');
  expect(again.field('cache-status')).toContain('hit');
  expect(again.body.equals(body)).toBe(true);
});

test('an origin that never said that it serves ranges is asked for one to see', async () => {
  const { origin, gateway } = await setup((_request, reply, count) =>
    honest({ headers: {} } as IncomingMessage, reply, count),
  );
  expect((await gateway.get('/files/big')).body.equals(body)).toBe(true);
  expect(origin.requests.filter(({ headers }) => headers.includes('Range'))).toHaveLength(1);
});

describe('an origin that answers parts with something else does no harm', () => {
  test.each<[string, Answer]>([
    [
      'the whole',
      (_request, reply, count) => honest({ headers: {} } as IncomingMessage, reply, count),
    ],
    ['an error', (_request, reply) => void reply.writeHead(503).end()],
    [
      'another entity tag',
      (request, reply) => {
        const { first, last } = rangeOf(request) ?? { first: 0, last: 0 };
        reply.writeHead(206, { ETag: '"v2"', 'Content-Range': `bytes ${first}-${last}/${size}` });
        reply.end(Buffer.alloc(last - first + 1));
      },
    ],
    [
      'another range',
      (request, reply) => {
        const { first, last } = rangeOf(request) ?? { first: 0, last: 0 };
        reply.writeHead(206, {
          ETag: etag,
          'Content-Range': `bytes ${first + 1}-${last + 1}/${size}`,
        });
        reply.end(Buffer.alloc(last - first + 1));
      },
    ],
    [
      'less than it said',
      (request, reply) => {
        const { first, last } = rangeOf(request) ?? { first: 0, last: 0 };
        reply.writeHead(206, { ETag: etag, 'Content-Range': `bytes ${first}-${last}/${size}` });
        reply.end(body.subarray(first, first + 1000));
      },
    ],
    [
      'a broken connection',
      (request, reply) => {
        const { first, last } = rangeOf(request) ?? { first: 0, last: 0 };
        reply.writeHead(206, {
          ETag: etag,
          'Content-Range': `bytes ${first}-${last}/${size}`,
          'Content-Length': last - first + 1,
        });
        reply.write(body.subarray(first, first + 1000), () => reply.destroy());
      },
    ],
  ])('%s', async (_what, part) => {
    const { gateway } = await setup(part);
    const answer = await gateway.get('/files/big');
    expect(answer.body.equals(body)).toBe(true);
    const again = await gateway.get('/files/big');
    expect(again.body.equals(body)).toBe(true);
  });
});

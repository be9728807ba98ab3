import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { ByteRange } from '../../src/core/body.ts';
import { GatewayError } from '../../src/core/errors.ts';
import type { FillOptions } from '../../src/pipeline/fill-contract.ts';
import { UpstreamFillSource } from '../../src/pipeline/fill-source.ts';
import { createMemoryStore } from '../../src/storage/engines/memory.ts';
import { FakeResponse } from './fake-response.ts';
import { fillFixture, readAll } from './fill-fixture.ts';

const text = '0123456789';
const digest = {
  algorithm: 'sha256',
  hex: createHash('sha256').update(text).digest('hex'),
} as const;
const broken = new GatewayError('http_response_incomplete', 'cut', {
  origin: 'upstream',
  retryable: true,
});

function part({ first, last }: ByteRange, etag?: string): FakeResponse {
  const range = ['Content-Range', `bytes ${first}-${last}/10`];
  return new FakeResponse(206, etag === undefined ? range : ['ETag', etag, ...range]);
}

/** A source over a fill, whose requests for parts the test answers. */
async function continued(options: Partial<FillOptions>, first: FakeResponse, place?: ByteRange) {
  const { fill } = await fillFixture({ size: 10, ...options });
  const asked: { range: ByteRange | undefined; etag: string | undefined }[] = [];
  const answers: FakeResponse[] = [];
  const ask = async (range: ByteRange | undefined, etag?: string) => {
    asked.push({ range, etag });
    return answers.shift() ?? Promise.reject(broken);
  };
  const refetch = {
    part: ask,
    whole: () => ask(undefined),
    connections: () => 1,
    next: () => 'http://upstream.example',
    now: () => 0,
  };
  new UpstreamFillSource(fill, first, refetch, place);
  return { fill, asked, answers };
}

test('a fill that begins with a part asks for the gaps, under the tag of the first response', async () => {
  const partial = await createMemoryStore({ maxBytes: 2 ** 20, maxBodyBytes: 2 ** 20 }).begin(10);
  partial.write(0, Buffer.from('01'));
  partial.write(4, Buffer.from('45'));
  const present = [
    { first: 0, last: 1 },
    { first: 4, last: 5 },
  ];
  const rest = part({ first: 6, last: 9 }, '"v1"');
  const place = { first: 6, last: 9 };
  const { fill, asked, answers } = await continued({ partial, present, digest }, rest, place);
  const gap = part({ first: 2, last: 3 }, '"v1"');
  answers.push(gap);
  rest.data(Buffer.from('6789'));
  rest.end();
  await new Promise((resolve) => setImmediate(resolve));
  expect(asked).toEqual([{ range: { first: 2, last: 3 }, etag: '"v1"' }]);
  gap.data(Buffer.from('23'));
  gap.end();
  expect((await readAll(fill.read())).toString()).toBe(text);
  expect(await fill.settled).toMatchObject({ body: { sha256: digest.hex, size: 10 } });
});

test('a digest is enough to go on where there is no entity tag', async () => {
  const first = new FakeResponse(200, ['Content-Length', '10']);
  const { fill, asked, answers } = await continued({ digest }, first);
  const rest = part({ first: 4, last: 9 });
  answers.push(rest);
  first.data(Buffer.from('0123'));
  first.fail(broken);
  await new Promise((resolve) => setImmediate(resolve));
  expect(asked).toEqual([{ range: { first: 4, last: 9 }, etag: undefined }]);
  rest.data(Buffer.from('456789'));
  rest.end();
  expect((await readAll(fill.read())).toString()).toBe(text);
});

test('and what does not fit is not given as a whole', async () => {
  const first = new FakeResponse(200, ['Content-Length', '10']);
  const { fill, answers } = await continued({ digest }, first);
  const rest = part({ first: 4, last: 9 });
  answers.push(rest);
  const all = readAll(fill.read());
  const failed = expect(all).rejects.toMatchObject({ code: 'digest_mismatch' });
  first.data(Buffer.from('0123'));
  first.fail(broken);
  await new Promise((resolve) => setImmediate(resolve));
  rest.data(Buffer.from('abcdef'));
  rest.end();
  await failed;
  expect(await fill.settled).toBe(undefined);
});

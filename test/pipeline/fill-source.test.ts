import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ByteRange } from '../../src/core/body.ts';
import { GatewayError } from '../../src/core/errors.ts';
import { UpstreamFillSource } from '../../src/pipeline/fill-source.ts';
import { generatedBytes, generatedSha256 } from '../support/generated-bytes.ts';
import { FakeResponse } from './fake-response.ts';
import { fillFixture, readAll } from './fill-fixture.ts';

const mebibyte = 2 ** 20;
const broken = new GatewayError('http_response_incomplete', 'cut', {
  origin: 'upstream',
  retryable: true,
});

interface Asked {
  readonly range: ByteRange;
  readonly answer: (response: FakeResponse) => void;
  readonly refuse: (error: GatewayError) => void;
}

/** A fill fed by a first response and by range requests that the test answers. */
async function sourceFixture(size: number | undefined, headers: readonly string[]) {
  const { fill } = await fillFixture({ size });
  const first = new FakeResponse(200, headers);
  const asked: Asked[] = [];
  new UpstreamFillSource(
    fill,
    first,
    (range) =>
      new Promise((answer, refuse) => {
        asked.push({ range, answer, refuse });
      }),
  );
  return { fill, first, asked };
}

const strong = ['ETag', '"v1"', 'Accept-Ranges', 'bytes'];

function part({ first, last }: ByteRange, size: number, etag = '"v1"'): FakeResponse {
  return new FakeResponse(206, ['ETag', etag, 'Content-Range', `bytes ${first}-${last}/${size}`]);
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('a broken upstream connection', () => {
  test('is resumed where it broke, under the same strong validator', async () => {
    const { fill, first, asked } = await sourceFixture(10, strong);
    const all = readAll(fill.read());
    first.data(Buffer.from('0123'));
    first.fail(broken);
    expect(asked.map(({ range }) => range)).toEqual([{ first: 4, last: 9 }]);
    const rest = part({ first: 4, last: 9 }, 10);
    asked[0]?.answer(rest);
    await turn();
    rest.data(Buffer.from('456789'));
    rest.end();
    expect((await all).toString()).toBe('0123456789');
  });

  test.each([
    ['a weak validator', ['ETag', 'W/"v1"']],
    ['no validator', []],
    ['Accept-Ranges: none', ['ETag', '"v1"', 'Accept-Ranges', 'none']],
  ])('with %s it ends the body with the error', async (_what, headers) => {
    const { fill, first, asked } = await sourceFixture(10, headers);
    const all = readAll(fill.read());
    first.data(Buffer.from('0123'));
    first.fail(broken);
    await expect(all).rejects.toMatchObject({ code: 'http_response_incomplete' });
    expect(asked).toHaveLength(0);
  });

  test.each([
    ['another entity tag', part({ first: 4, last: 9 }, 10, '"v2"')],
    ['another length', part({ first: 4, last: 9 }, 11)],
    ['another range', part({ first: 5, last: 9 }, 10)],
    ['the whole body', new FakeResponse(200, strong)],
    ['no Content-Range', new FakeResponse(206, ['ETag', '"v1"'])],
  ])('is not continued from a response with %s', async (_what, response) => {
    const { fill, first, asked } = await sourceFixture(10, strong);
    const all = readAll(fill.read());
    first.data(Buffer.from('0123'));
    first.fail(broken);
    asked[0]?.answer(response);
    await expect(all).rejects.toMatchObject({ code: 'representation_changed' });
    expect(response.aborted).toBe(true);
  });

  test('is given up after some attempts without a byte between them', async () => {
    const { fill, first, asked } = await sourceFixture(10, strong);
    const all = readAll(fill.read());
    const failed = expect(all).rejects.toMatchObject({ code: 'http_response_incomplete' });
    first.fail(broken);
    for (let attempt = 0; attempt < 3; attempt++) {
      asked[attempt]?.refuse(broken);
      await turn();
    }
    await failed;
    expect(asked).toHaveLength(3);
  });
});

test('parts without a byte are no progress, however well they are framed', async () => {
  const { fill, first, asked } = await sourceFixture(10, strong);
  const failed = expect(readAll(fill.read())).rejects.toMatchObject({
    code: 'http_response_incomplete',
  });
  first.fail(broken);
  for (let attempt = 0; attempt < 3; attempt++) {
    const empty = part({ first: 0, last: 9 }, 10);
    asked[attempt]?.answer(empty);
    await turn();
    empty.end();
  }
  await failed;
  expect(asked).toHaveLength(3);
});

test('bytes beyond the part that was promised are not taken', async () => {
  const { fill, first, asked } = await sourceFixture(10, strong);
  const all = readAll(fill.read());
  first.data(Buffer.from('0123'));
  first.fail(broken);
  const more = part({ first: 4, last: 6 }, 10);
  asked[0]?.answer(more);
  await turn();
  more.data(Buffer.from('456evil'));
  expect(more.aborted).toBe(true);
  const rest = part({ first: 7, last: 9 }, 10);
  asked[1]?.answer(rest);
  await turn();
  rest.data(Buffer.from('789'));
  rest.end();
  expect((await all).toString()).toBe('0123456789');
});

describe('a reader far ahead', () => {
  test('gets a connection of its own, and no byte is asked for twice', async () => {
    const size = 8 * mebibyte;
    const whole = generatedBytes('jump', 0, size);
    const { fill, first, asked } = await sourceFixture(size, strong);
    const start = 6 * mebibyte;
    const tail = readAll(fill.read({ first: start, last: size - 1 }));
    expect(asked.map(({ range }) => range)).toEqual([{ first: start, last: size - 1 }]);
    const jump = part({ first: start, last: size - 1 }, size);
    asked[0]?.answer(jump);
    await turn();
    jump.data(whole.subarray(start));
    jump.end();
    expect((await tail).equals(whole.subarray(start))).toBe(true);
    const all = readAll(fill.read());
    first.data(whole.subarray(0, start));
    expect(first.aborted).toBe(true);
    expect((await all).equals(whole)).toBe(true);
    expect((await fill.settled)?.body.sha256).toBe(generatedSha256('jump', size));
  });

  test('waits for the bytes in order when the upstream ignores ranges', async () => {
    const size = 8 * mebibyte;
    const whole = generatedBytes('no ranges', 0, size);
    const { fill, first, asked } = await sourceFixture(size, strong);
    const tail = readAll(fill.read({ first: 6 * mebibyte, last: size - 1 }));
    const ignored = new FakeResponse(200, strong);
    asked[0]?.answer(ignored);
    await turn();
    expect(ignored.aborted).toBe(true);
    first.data(whole);
    first.end();
    expect((await tail).equals(whole.subarray(6 * mebibyte))).toBe(true);
  });

  test('whose bytes are there already asks for nothing', async () => {
    const { fill, first, asked } = await sourceFixture(8 * mebibyte, strong);
    first.data(Buffer.alloc(16_000));
    fill.read({ first: 100, last: 199 });
    expect(asked).toHaveLength(0);
  });

  test('near the bytes that come anyway asks for nothing', async () => {
    const { fill, asked } = await sourceFixture(8 * mebibyte, strong);
    fill.read({ first: 1000, last: 2000 });
    expect(asked).toHaveLength(0);
  });
});

test('whatever breaks and wherever readers begin, the bytes are the right ones', async () => {
  const size = 5 * mebibyte;
  const whole = generatedBytes('property', 0, size);
  const sha256 = generatedSha256('property', size);
  const positions = fc.array(fc.integer({ min: 0, max: size - 1 }), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(positions, fc.array(fc.integer({ min: 1, max: size })), async (at, cuts) => {
      const { fill, first, asked } = await sourceFixture(size, strong);
      const ranges = at.map((start) => ({ first: start, last: size - 1 }));
      const readers = ranges.map((range) => readAll(fill.read(range)));
      const all = readAll(fill.read());
      const live = [{ response: first, next: 0, last: size - 1 }];
      let answered = 0;
      for (let step = 0; !fill.complete; step++) {
        for (; answered < asked.length; answered++) {
          const { range, answer } = asked[answered] as Asked;
          const response = part(range, size);
          live.push({ response, next: range.first, last: range.last });
          answer(response);
        }
        await turn();
        const open = live.filter(({ response }) => response.consumed && !response.aborted);
        const feed = open[step % Math.max(1, open.length)];
        if (!feed) continue;
        const length = Math.min(cuts[step] ?? mebibyte, feed.last + 1 - feed.next);
        feed.response.data(whole.subarray(feed.next, feed.next + length));
        feed.next += length;
        if (feed.next > feed.last) {
          live.splice(live.indexOf(feed), 1);
          feed.response.end();
        } else if (step < cuts.length && step % 3 === 2) {
          live.splice(live.indexOf(feed), 1);
          feed.response.fail(broken);
        }
        await turn();
      }
      expect((await fill.settled)?.body.sha256).toBe(sha256);
      expect((await all).equals(whole)).toBe(true);
      for (const [i, read] of (await Promise.all(readers)).entries()) {
        expect(read.equals(whole.subarray(at[i]))).toBe(true);
      }
    }),
    { numRuns: 30 },
  );
});

test('a refused part far ahead does not end the body that is coming anyway', async () => {
  const size = 8 * mebibyte;
  const whole = generatedBytes('refused', 0, size);
  const { fill, first, asked } = await sourceFixture(size, strong);
  const all = readAll(fill.read());
  const near = readAll(fill.read({ first: 4 * mebibyte, last: 5 * mebibyte }));
  const far = readAll(fill.read({ first: 7 * mebibyte, last: size - 1 }));
  expect(asked).toHaveLength(2);
  const jump = part(asked[0]?.range as ByteRange, size);
  asked[0]?.answer(jump);
  await turn();
  jump.data(whole.subarray(4 * mebibyte, 6 * mebibyte));
  asked[1]?.answer(new FakeResponse(503, []));
  await turn();
  for (let at = 0; at < size; at += mebibyte) first.data(whole.subarray(at, at + mebibyte));
  first.end();
  expect((await all).equals(whole)).toBe(true);
  expect((await near).equals(whole.subarray(4 * mebibyte, 5 * mebibyte + 1))).toBe(true);
  expect((await far).equals(whole.subarray(7 * mebibyte))).toBe(true);
});

test('the same far range is asked for once, however many readers want it', async () => {
  const { fill, asked } = await sourceFixture(8 * mebibyte, strong);
  for (let i = 0; i < 10; i++) fill.read({ first: 6 * mebibyte, last: 8 * mebibyte - 1 });
  expect(asked).toHaveLength(1);
});

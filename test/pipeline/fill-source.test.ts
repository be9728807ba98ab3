import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
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
  /** Undefined: the whole. */
  readonly range: ByteRange | undefined;
  readonly answer: (response: FakeResponse) => void;
  readonly refuse: (error: GatewayError) => void;
}

/** A fill fed by a first response and by range requests that the test answers. */
async function sourceFixture(
  size: number | undefined,
  headers: readonly string[],
  {
    connections = 1,
    now = () => 0,
  }: { connections?: number | (() => number); now?: () => number } = {},
) {
  const { fill } = await fillFixture({ size });
  const first = new FakeResponse(200, headers);
  const asked: Asked[] = [];
  const ask = (range: ByteRange | undefined) =>
    new Promise<FakeResponse>((answer, refuse) => {
      asked.push({ range, answer, refuse });
    });
  new UpstreamFillSource(fill, first, {
    part: ask,
    whole: () => ask(undefined),
    next: () => 'http://upstream.example',
    connections: () => (typeof connections === 'number' ? connections : connections()),
    now,
  });
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

describe('an upstream that cannot serve now', () => {
  /** A body that broke after four of its ten bytes, and was refused so often, a step after the other. */
  async function refused(times: number) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { first, asked, fill } = await sourceFixture(10, strong);
    const all = readAll(fill.read());
    first.data(Buffer.from('0123'));
    first.fail(broken);
    for (let i = 0; i < times; i++) {
      asked[i]?.answer(new FakeResponse(503, []));
      await turn();
      expect(asked).toHaveLength(i + 1);
      vi.advanceTimersByTime(250 * 2 ** i);
    }
    return { asked, all };
  }

  test('is asked for the part again after a while', async () => {
    const { asked, all } = await refused(3);
    expect(asked[3]?.range).toEqual({ first: 4, last: 9 });
    const rest = part({ first: 4, last: 9 }, 10);
    asked[3]?.answer(rest);
    await turn();
    rest.data(Buffer.from('456789'));
    rest.end();
    expect((await all).toString()).toBe('0123456789');
  });

  test('is given up after some refusals without a byte between them', async () => {
    const { asked, all } = await refused(5);
    const failed = expect(all).rejects.toMatchObject({ code: 'http_response_incomplete' });
    asked[5]?.answer(new FakeResponse(429, []));
    await failed;
    expect(asked).toHaveLength(6);
  });
});

describe('what comes for a range and is not that part', () => {
  const lies: [string, () => FakeResponse][] = [
    ['another entity tag', () => part({ first: 4, last: 9 }, 10, '"v2"')],
    ['another length', () => part({ first: 4, last: 9 }, 11)],
    ['another range', () => part({ first: 5, last: 9 }, 10)],
    ['no Content-Range', () => new FakeResponse(206, ['ETag', '"v1"'])],
    ['an error', () => new FakeResponse(500, [])],
  ];
  const whole = (body: string, etag = '"v1"') =>
    new FakeResponse(200, ['ETag', etag, 'Content-Length', String(body.length)]);

  /** A body that broke after four of its ten bytes, and what came for the rest. */
  async function continued(with_: FakeResponse) {
    const { fill, first, asked } = await sourceFixture(10, strong);
    const all = readAll(fill.read());
    first.data(Buffer.from('0123'));
    first.fail(broken);
    asked[0]?.answer(with_);
    await turn();
    return { fill, all, asked };
  }

  test.each(lies)('with %s is not taken: the whole is asked for once more', async (_what, lie) => {
    const response = lie();
    const { all, asked } = await continued(response);
    expect(response.aborted).toBe(true);
    expect(asked.map(({ range }) => range)).toEqual([{ first: 4, last: 9 }, undefined]);
    const again = whole('0123456789');
    asked[1]?.answer(again);
    await turn();
    again.data(Buffer.from('0123456789'));
    again.end();
    expect((await all).toString()).toBe('0123456789');
  });

  test('as the whole of the same representation, is passed over up to what is missing', async () => {
    const response = whole('0123456789');
    const { all, asked } = await continued(response);
    response.data(Buffer.from('012345'));
    response.data(Buffer.from('6789'));
    response.end();
    expect((await all).toString()).toBe('0123456789');
    expect(asked).toHaveLength(1);
  });

  test.each([
    ['of another entity tag', whole('0123456789', '"v2"')],
    ['of another length', whole('0123456789a')],
    ['that is an error', new FakeResponse(503, [])],
  ])('ends the body with an error when the whole comes %s', async (_what, again) => {
    const { all, asked } = await continued(part({ first: 4, last: 9 }, 11));
    const failed = expect(all).rejects.toMatchObject({ code: 'representation_changed' });
    asked[1]?.answer(again);
    await failed;
    expect(again.aborted).toBe(true);
  });

  test('ends the body with an error when the whole begins with other bytes', async () => {
    const { all, asked } = await continued(part({ first: 4, last: 9 }, 11));
    const failed = expect(all).rejects.toMatchObject({ code: 'representation_changed' });
    const again = whole('0123456789');
    asked[1]?.answer(again);
    await turn();
    again.data(Buffer.from('01x3456789'));
    await failed;
  });
});

describe('a large body that comes slowly', () => {
  const size = 8 * mebibyte;
  const piece = 64 * 1024;
  const body = generatedBytes('parallel', 0, size);

  /** 64 KiB a tenth of a second, long enough to see that more connections would help. */
  async function begun(connections: number) {
    let now = 0;
    const fixture = await sourceFixture(size, strong, { connections, now: () => now });
    const all = readAll(fixture.fill.read());
    let sent = 0;
    const send = (response: FakeResponse, at: number, length: number) =>
      response.data(body.subarray(at, at + length));
    for (; sent < 2 * piece; sent += piece) {
      send(fixture.first, sent, piece);
      now += 100;
    }
    send(fixture.first, sent, 10);
    return { ...fixture, all, send, sent: sent + 10 };
  }

  test('is asked for in segments that do not overlap, besides the ordinary request', async () => {
    const { asked } = await begun(4);
    const ranges = asked.map(({ range }) => range as ByteRange);
    expect(ranges).toHaveLength(3);
    for (const [i, { first, last }] of ranges.entries()) {
      expect(first).toBe(ranges[i - 1] ? (ranges[i - 1] as ByteRange).last + 1 : first);
      expect(last - first + 1).toBeGreaterThanOrEqual(mebibyte);
    }
    expect(ranges[0]?.first).toBeGreaterThan(mebibyte);
  });

  test('gets no further connections while fewer are allowed, and more again afterwards', async () => {
    let most = 1;
    let now = 0;
    const { fill, first, asked } = await sourceFixture(size, strong, {
      connections: () => most,
      now: () => now,
    });
    const all = readAll(fill.read());
    let sent = 0;
    const sendFor = (pieces: number) => {
      for (let i = 0; i < pieces; i++, sent += piece) {
        first.data(body.subarray(sent, sent + piece));
        now += 100;
      }
    };
    most = 3;
    sendFor(3);
    expect(asked).toHaveLength(2);
    most = 1;
    // One of them is done: another one would take its place.
    const range = asked[0]?.range as ByteRange;
    const response = part(range, size);
    asked[0]?.answer(response);
    await turn();
    response.data(body.subarray(range.first, range.last + 1));
    response.end();
    sendFor(3);
    expect(asked).toHaveLength(2);
    most = 3;
    sendFor(1);
    expect(asked).toHaveLength(3);
    fill.fail(broken);
    await expect(all).rejects.toBe(broken);
  });

  test('comes over one connection where no more are allowed', async () => {
    expect((await begun(1)).asked).toHaveLength(0);
  });

  test('goes on with those that come when one more is refused', async () => {
    const { fill, first, asked, send, sent, all } = await begun(4);
    asked[0]?.answer(new FakeResponse(503, []));
    await turn();
    // More are asked for while these come.
    for (let i = 1; i < asked.length; i++) {
      const range = asked[i]?.range as ByteRange;
      const response = part(range, size);
      asked[i]?.answer(response);
      await turn();
      send(response, range.first, range.last - range.first + 1);
      response.end();
    }
    send(first, sent, size - sent);
    first.end();
    expect((await all).equals(body)).toBe(true);
    expect(asked.every(({ range }) => range !== undefined)).toBe(true);
    expect(fill.complete).toBe(true);
  });

  test('keeps to one connection when the upstream ignores ranges', async () => {
    const { first, asked, send, sent, all } = await begun(4);
    for (const { answer } of asked) answer(new FakeResponse(200, ['ETag', '"v1"']));
    await turn();
    send(first, sent, size - sent);
    first.end();
    expect((await all).equals(body)).toBe(true);
    expect(asked.filter(({ range }) => range)).toHaveLength(3);
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
          if (range === undefined) throw new Error('ranges work: the whole is not needed');
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
  asked[1]?.answer(new FakeResponse(404, []));
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

test('nobody asks over how many connections a body may come that came in one piece', async () => {
  const size = 8192;
  const connections = vi.fn(() => 8);
  const { fill, first } = await sourceFixture(size, strong, { connections });
  const whole = readAll(fill.read());
  first.data(generatedBytes('one piece', 0, size));
  first.end();
  expect(await whole).toHaveLength(size);
  expect(connections).not.toHaveBeenCalled();
});

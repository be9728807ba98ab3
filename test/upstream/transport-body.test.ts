import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/core/errors.ts';
import type { UpstreamResponse } from '../../src/upstream/upstream.ts';
import { collect } from '../support/collect.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { expectNoLeaks } from '../support/leaks.ts';
import { chunks, close, hang, head, hold, lastChunk, response } from '../support/replies.ts';
import { scriptedOrigin } from '../support/scripted-origin.ts';
import { collectPausing, countResumingWithin } from './slow-sinks.ts';
import { get, transportForTest } from './test-transport.ts';

const ok = response('200 OK', {}, 'ok');

it.each([
  ['its length', [head('200 OK', { 'Content-Length': 6 }), 'abc', hold, 'def']],
  [
    'chunks',
    [
      head('200 OK', { 'Transfer-Encoding': 'chunked' }),
      '3;x=1\r\nabc\r\n',
      hold,
      chunks('def'),
      '0\r\nTrailer: x\r\n\r\n',
    ],
  ],
  ['the close', [head('200 OK'), 'abc', hold, 'def', close]],
  ['the close, of HTTP/1.0', ['HTTP/1.0 200 OK\r\n\r\nabc', hold, 'def', close]],
])('is framed by %s', async (_framing, steps) => {
  expectNoLeaks();
  const origin = await scriptedOrigin();
  const script = origin.expect('GET', '/', ...steps);
  const answer = await transportForTest().send(get(`${origin.url}/`));
  const body = collect(answer);
  script.release();
  expect(await body).toEqual({ bytes: Buffer.from('abcdef'), error: undefined });
});

it.each([
  ['HEAD', 'HEAD', head('200 OK', { 'Content-Length': 1_000 })],
  ['204', 'GET', head('204 No Content')],
  ['304', 'GET', head('304 Not Modified', { 'Content-Length': 1_000, ETag: '"a"' })],
])('is empty for %s, whatever the length says', async (_what, method, reply) => {
  const origin = await scriptedOrigin();
  origin.expect(method, '/', reply);
  const answer = await transportForTest().send(get(`${origin.url}/`, { method }));
  expect(await collect(answer)).toEqual({ bytes: Buffer.alloc(0), error: undefined });
});

it('waits, held back at the upstream, until it is consumed, and then comes whole', async () => {
  const origin = await httpOrigin();
  const size = 64 * 1024 * 1024;
  origin.serve('/big', { body: { seed: 'wait', size } });
  const answer = await transportForTest().send(get(`${origin.url}/big`));
  // Another exchange takes its time; what is not consumed must not flow meanwhile.
  origin.serve('/small', { body: 'small' });
  await collect(await transportForTest().send(get(`${origin.url}/small`)));
  expect(origin.bytesSent).toBeLessThan(size / 2);
  const { bytes, error } = await collect(answer);
  expect(error).toBeUndefined();
  expect(bytes.equals(generatedBytes('wait', 0, size))).toBe(true);
});

it('one that came with its head frees its connection before anybody takes it; its bytes wait', async () => {
  expectNoLeaks();
  const origin = await scriptedOrigin();
  const transport = transportForTest({ connectionsPerOrigin: 1 });
  origin.expect('GET', '/first', response('200 OK', {}, 'first'));
  origin.expect('GET', '/second', response('200 OK', {}, 'second'));
  const first = await transport.send(get(`${origin.url}/first`));
  const second = await transport.send(get(`${origin.url}/second`));
  expect((await collect(second)).bytes.toString()).toBe('second');
  expect(await collect(first)).toEqual({ bytes: Buffer.from('first'), error: undefined });
  expect(origin.connections).toBe(1);
});

it('a sink that fails at what waited for it has failed its own body', async () => {
  expectNoLeaks();
  const origin = await scriptedOrigin();
  const transport = transportForTest();
  origin.expect('GET', '/', ok);
  const answer = await transport.send(get(`${origin.url}/`));
  const failed = await new Promise((resolve) => {
    answer.consume({
      data() {
        throw new GatewayError('storage_failed', 'a fault of the sink', { origin: 'gateway' });
      },
      end: () => resolve(undefined),
      error: resolve,
    });
  });
  expect(failed).toMatchObject({ code: 'storage_failed' });
});

it('pauses when the sink says false, until resume', async () => {
  const origin = await httpOrigin();
  const size = 4 * 1024 * 1024;
  origin.serve('/big', { body: { seed: 'pause', size } });
  const answer = await transportForTest().send(get(`${origin.url}/big`));
  expect((await collectPausing(answer)).equals(generatedBytes('pause', 0, size))).toBe(true);
});

it('resume from within data, with false returned after it, loses no wake-up', async () => {
  const origin = await httpOrigin();
  origin.serve('/big', { body: { seed: 'within', size: 1_000_000 } });
  const answer = await transportForTest().send(get(`${origin.url}/big`));
  expect(await countResumingWithin(answer)).toBe(1_000_000);
});

it('may be consumed, resumed and aborted from within the data of another one', async () => {
  const origin = await httpOrigin();
  origin.serve('/big', { body: { seed: 'many', size: 2_000_000 } });
  const transport = transportForTest();
  const send = (): Promise<UpstreamResponse> => transport.send(get(`${origin.url}/big`));
  const [first, second, third] = [await send(), await send(), await send()];
  let collected: ReturnType<typeof collect> | undefined;
  await new Promise<void>((resolve, reject) => {
    first.consume({
      data() {
        collected ??= collect(second);
        second.resume();
        third.abort();
        return true;
      },
      end: resolve,
      error: reject,
    });
  });
  expect((await collected)?.bytes.length).toBe(2_000_000);
});

it('abort ends the connection and frees its place; the sink hears nothing more', async () => {
  expectNoLeaks();
  const origin = await scriptedOrigin();
  const endless = [head('200 OK', { 'Content-Length': 1_000 }), 'abc', hang] as const;
  const unread = origin.expect('GET', '/unread', ...endless);
  const within = origin.expect('GET', '/within', ...endless);
  origin.expect('GET', '/next', ok);
  const transport = transportForTest({ connectionsPerOrigin: 1 });

  const first = await transport.send(get(`${origin.url}/unread`));
  first.abort();
  first.abort();
  await unread.disconnected;

  const second = await transport.send(get(`${origin.url}/within`));
  const heard: string[] = [];
  second.consume({
    data() {
      heard.push('data');
      second.abort();
      return true;
    },
    end: () => heard.push('end'),
    error: () => heard.push('error'),
  });
  await within.disconnected;

  const third = await transport.send(get(`${origin.url}/next`));
  expect((await collect(third)).bytes.toString()).toBe('ok');
  third.abort();
  expect(heard).toEqual(['data']);
});

it('bytes after a complete response never reach a sink, and end the connection', async () => {
  const origin = await scriptedOrigin();
  const forged = response('200 OK', {}, 'forged');
  origin.expect('GET', '/a', Buffer.concat([ok, forged]));
  origin.expect('GET', '/b', ok, 'garbage');
  origin.expect(
    'GET',
    '/c',
    head('200 OK', { 'Transfer-Encoding': 'chunked' }),
    chunks('ok'),
    lastChunk,
    forged,
  );
  origin.expect('GET', '/d', ok);
  const transport = transportForTest();
  for (const path of ['/a', '/b', '/c', '/d']) {
    const answer = await transport.send(get(origin.url + path));
    expect((await collect(answer)).bytes.toString()).toBe('ok');
  }
  expect(origin.connections).toBe(4);
});

it('a sink that throws ends the exchange with an error', async () => {
  const origin = await scriptedOrigin();
  const script = origin.expect(
    'GET',
    '/',
    head('200 OK', { 'Content-Length': 9 }),
    hold,
    'abc',
    hang,
  );
  const answer = await transportForTest().send(get(`${origin.url}/`));
  const heard = new Promise<GatewayError>((resolve) => {
    answer.consume({
      data() {
        throw new Error('broken sink');
      },
      end: () => undefined,
      error: resolve,
    });
  });
  script.release();
  expect(await heard).toMatchObject({ code: 'proxy_internal_error', origin: 'gateway' });
  await script.disconnected;
});

it('may be consumed once only', async () => {
  const origin = await scriptedOrigin();
  origin.expect('GET', '/', ok);
  const answer = await transportForTest().send(get(`${origin.url}/`));
  await collect(answer);
  expect(() => answer.consume({ data: () => true, end() {}, error() {} })).toThrow('consumer');
});

describe('a body that came with its head', () => {
  const all = (taken: string[], accept = true) => ({
    take: (body: Uint8Array) => {
      taken.push(Buffer.from(body).toString());
      return accept;
    },
  });

  it('is taken at once, and its connection serves the next request', async () => {
    expectNoLeaks();
    const origin = await scriptedOrigin();
    const transport = transportForTest();
    for (const text of ['first', '', 'second']) {
      const taken: string[] = [];
      origin.expect('GET', '/', response('200 OK', {}, text));
      const answer = await transport.send(get(`${origin.url}/`));
      expect(answer.takeWhole(text.length, all(taken).take)).toBe(true);
      expect(taken).toEqual([text]);
      expect(answer.takeWhole(text.length, all(taken).take)).toBe(false);
      answer.abort();
      // The connection is free by the next turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(origin.connections).toBe(1);
  });

  it('that is refused, or is not as long, is there to be consumed', async () => {
    const origin = await scriptedOrigin();
    origin.expect('GET', '/', ok);
    const answer = await transportForTest().send(get(`${origin.url}/`));
    const taken: string[] = [];
    expect(answer.takeWhole(2, all(taken, false).take)).toBe(false);
    expect(answer.takeWhole(3, all(taken).take)).toBe(false);
    expect(taken).toEqual(['ok']);
    expect((await collect(answer)).bytes.toString()).toBe('ok');
    expect(answer.takeWhole(2, all(taken).take)).toBe(false);
  });

  it('is not taken while any of it is still to come', async () => {
    const origin = await scriptedOrigin();
    const script = origin.expect(
      'GET',
      '/',
      head('200 OK', { 'Content-Length': 2 }),
      'o',
      hold,
      'k',
    );
    const answer = await transportForTest().send(get(`${origin.url}/`));
    const taken: string[] = [];
    expect(answer.takeWhole(2, all(taken).take)).toBe(false);
    expect(answer.takeWhole(1, all(taken).take)).toBe(false);
    script.release();
    expect((await collect(answer)).bytes.toString()).toBe('ok');
    expect(taken).toEqual([]);
  });

  it('gives its memory back: many of them take that of a few', async () => {
    const origin = await httpOrigin();
    const transport = transportForTest({ connectionsPerOrigin: 1 });
    const memory = new Set<ArrayBufferLike>();
    for (let i = 0; i < 200; i++) {
      origin.serve(`/${i}`, { body: { seed: `${i}`, size: 8_000 } });
      const answer = await transport.send(get(`${origin.url}/${i}`));
      const isTaken = answer.takeWhole(8_000, (body) => {
        memory.add(body.buffer);
        return generatedBytes(`${i}`, 0, 8_000).equals(body);
      });
      if (!isTaken) expect((await collect(answer)).bytes).toHaveLength(8_000);
    }
    expect(memory.size).toBeGreaterThan(0);
    expect(memory.size).toBeLessThan(8);
  });
});

import { expect, it } from 'vitest';
import { GatewayError } from '../../src/core/errors.ts';
import type { Transport, UpstreamResponse } from '../../src/upstream/upstream.ts';
import { collect } from '../support/collect.ts';
import { type FrameStream, frameOrigin } from '../support/frame-origin.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { http2Origin } from '../support/http-origin.ts';
import { expectNoLeaks } from '../support/leaks.ts';
import { selfSigned } from '../support/tls/self-signed.ts';
import { until } from '../support/until.ts';
import { collectPausing, countResumingWithin } from './slow-sinks.ts';
import { get, transportForTest } from './test-transport.ts';

function http2(options: Parameters<typeof transportForTest>[0] = {}): Transport {
  return transportForTest({ http2: true, ca: [selfSigned.cert], ...options });
}

const mebibyte = 2 ** 20;
const cancelled = 8;

it('a body that nobody reads holds back its stream only: others go on, and it comes whole later', async () => {
  expectNoLeaks();
  const origin = await http2Origin();
  const size = 32 * mebibyte;
  origin.serve('/held', { body: { seed: 'held', size } });
  origin.serve('/other', { body: { seed: 'other', size } });
  const transport = http2();
  const held = await transport.send(get(`${origin.url}/held`));
  const other = await collect(await transport.send(get(`${origin.url}/other`)));
  expect(other.bytes.equals(generatedBytes('other', 0, size))).toBe(true);
  // A window of it may be on its way, no more.
  expect(origin.bytesSent).toBeLessThan(size + 4 * mebibyte);
  const late = await collect(held);
  expect(late.error).toBeUndefined();
  expect(late.bytes.equals(generatedBytes('held', 0, size))).toBe(true);
  expect(origin.connections).toBe(1);
});

it('pauses when the sink says false, until resume; nothing comes meanwhile', async () => {
  const origin = await http2Origin();
  const size = 4 * mebibyte;
  origin.serve('/big', { body: { seed: 'pause', size } });
  const answer = await http2().send(get(`${origin.url}/big`));
  expect((await collectPausing(answer)).equals(generatedBytes('pause', 0, size))).toBe(true);
});

it('resume from within data, with false returned after it, loses no wake-up', async () => {
  const origin = await http2Origin();
  origin.serve('/big', { body: { seed: 'within', size: mebibyte } });
  const answer = await http2().send(get(`${origin.url}/big`));
  expect(await countResumingWithin(answer)).toBe(mebibyte);
});

it('abort ends one stream and no other, and the sink hears nothing more', async () => {
  expectNoLeaks();
  const streams: FrameStream[] = [];
  const origin = await frameOrigin((stream) => {
    streams.push(stream);
    stream.head({ ':status': '200' });
    stream.data('abc');
  });
  const transport = http2({ connectionsPerOrigin: 2 });
  const kept = collect(await transport.send(get(`${origin.url}/`)));
  const left = await transport.send(get(`${origin.url}/`));
  const heard: string[] = [];
  left.consume({
    data() {
      heard.push('data');
      left.abort();
      return true;
    },
    end: () => heard.push('end'),
    error: () => heard.push('error'),
  });
  expect(await streams[1]?.wasReset).toBe(cancelled);
  // Its place is free.
  const next = await transport.send(get(`${origin.url}/`));
  next.abort();
  next.abort();
  expect(await streams[2]?.wasReset).toBe(cancelled);
  streams[0]?.data('def', 'end');
  expect(await kept).toEqual({ bytes: Buffer.from('abcdef'), error: undefined });
  expect(heard).toEqual(['data']);
  expect(origin.connections).toBe(1);
});

it('a request given up before its head ends its stream; while connecting, the connection', async () => {
  expectNoLeaks();
  const streams: FrameStream[] = [];
  const origin = await frameOrigin((stream) => streams.push(stream));
  const transport = http2();
  const abort = new AbortController();
  const sent = transport.send(get(`${origin.url}/`), abort.signal);
  await until(() => streams.length === 1);
  abort.abort();
  await expect(sent).rejects.toMatchObject({ code: 'client_gone', origin: 'client' });
  expect(await streams[0]?.wasReset).toBe(cancelled);

  const resolving = http2({ lookup: () => new Promise(() => {}) });
  const reason = new GatewayError('shutting_down', 'enough', { origin: 'gateway' });
  const early = new AbortController();
  const unresolved = resolving.send(get('https://registry.test/'), early.signal);
  early.abort(reason);
  await expect(unresolved).rejects.toBe(reason);
});

it('who comes as the only other one gives up while connecting gets a connection all the same', async () => {
  expectNoLeaks();
  const origin = await http2Origin();
  origin.serve('/a', { body: 'a' });
  const transport = http2();
  const abort = new AbortController();
  const left = transport.send(get(`${origin.url}/a`), abort.signal);
  abort.abort();
  const stays = transport.send(get(`${origin.url}/a`));
  await expect(left).rejects.toMatchObject({ code: 'client_gone' });
  expect((await collect(await stays)).bytes.toString()).toBe('a');
});

it('an upstream that does not answer in time: its connection is not trusted any more, and new ones go elsewhere', async () => {
  const streams: FrameStream[] = [];
  const origin = await frameOrigin((stream) => {
    streams.push(stream);
    if (stream.connection === 1) return;
    stream.head({ ':status': '200' });
    stream.data('ok', 'end');
  });
  const transport = http2();
  const timeouts = { connectMs: 5_000, firstByteMs: 20 };
  await expect(transport.send(get(`${origin.url}/`, { timeouts }))).rejects.toMatchObject({
    code: 'http_response_timeout',
    retryable: true,
  });
  await streams[0]?.disconnected;
  const answer = await transport.send(get(`${origin.url}/`));
  expect((await collect(answer)).bytes.toString()).toBe('ok');
  expect(streams.map(({ connection }) => connection)).toEqual([1, 2]);
});

it('a body that stops flowing times out; one that its reader paused does not', async () => {
  const streams: FrameStream[] = [];
  const origin = await frameOrigin((stream) => {
    streams.push(stream);
    stream.head({ ':status': '200', 'content-length': '6' });
    stream.data('abc');
  });
  const transport = http2({ idleTimeoutMs: 200 });
  const paused = await transport.send(get(`${origin.url}/`));
  const stopped = collect(await transport.send(get(`${origin.url}/`)));
  expect(await stopped).toMatchObject({
    bytes: Buffer.from('abc'),
    error: { code: 'connection_read_timeout', retryable: true },
  });
  expect(await streams[1]?.wasReset).toBe(cancelled);
  streams[0]?.data('def', 'end');
  expect(await collect(paused)).toEqual({ bytes: Buffer.from('abcdef'), error: undefined });
});

it('a sink that throws ends its stream with an error, and no other', async () => {
  const streams: FrameStream[] = [];
  const origin = await frameOrigin((stream) => {
    streams.push(stream);
    stream.head({ ':status': '200' });
    stream.data('abc');
  });
  const transport = http2();
  const kept = collect(await transport.send(get(`${origin.url}/`)));
  const answer = await transport.send(get(`${origin.url}/`));
  const heard = new Promise<GatewayError>((resolve) => {
    answer.consume({
      data() {
        throw new Error('broken sink');
      },
      end: () => undefined,
      error: resolve,
    });
  });
  expect(await heard).toMatchObject({ code: 'proxy_internal_error', origin: 'gateway' });
  expect(await streams[1]?.wasReset).toBe(cancelled);
  streams[0]?.data('def', 'end');
  expect((await kept).bytes.toString()).toBe('abcdef');
});

it('close ends what is in flight, what waits and what is idle', async () => {
  expectNoLeaks();
  const streams: FrameStream[] = [];
  const origin = await frameOrigin((stream) => {
    streams.push(stream);
    if (stream.id === 1) stream.head({ ':status': '200' });
  });
  const transport = http2({ connectionsPerOrigin: 2 });
  const send = (): Promise<UpstreamResponse> => transport.send(get(`${origin.url}/`));
  const flowing = collect(await send());
  const outcomes = Promise.allSettled([send(), send()]);
  await until(() => streams.length === 2);
  await transport.close();
  expect(await outcomes).toMatchObject([
    { reason: { code: 'shutting_down' } },
    { reason: { code: 'shutting_down' } },
  ]);
  expect((await flowing).error).toMatchObject({ code: 'shutting_down' });
  await streams[0]?.disconnected;
  await expect(send()).rejects.toMatchObject({ code: 'shutting_down' });
});

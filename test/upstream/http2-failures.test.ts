import type { Http2ServerResponse } from 'node:http2';
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/core/errors.ts';
import type { Transport } from '../../src/upstream/upstream.ts';
import { collect } from '../support/collect.ts';
import { type FrameStream, frameOrigin } from '../support/frame-origin.ts';
import { http2Origin } from '../support/http-origin.ts';
import { expectNoLeaks } from '../support/leaks.ts';
import { selfSigned } from '../support/tls/self-signed.ts';
import { get, transportForTest } from './test-transport.ts';

function http2(options: Parameters<typeof transportForTest>[0] = {}): Transport {
  return transportForTest({ http2: true, ca: [selfSigned.cert], ...options });
}

const noError = 0;
const protocolError = 1;
const internalError = 2;
const refused = 7;
const cancel = 8;
const enhanceYourCalm = 11;
const http1Required = 13;

function answer(stream: FrameStream, text = 'ok'): void {
  stream.head({ ':status': '200' });
  stream.data(text, 'end');
}

type Reply = (stream: FrameStream) => void;

describe('no response head', () => {
  const cases: [string, Reply, ErrorCode][] = [
    ['ends the connection', (stream) => stream.cut(), 'connection_terminated'],
    ['resets the stream', (stream) => stream.reset(internalError), 'connection_terminated'],
    ['cancels the stream', (stream) => stream.reset(cancel), 'connection_terminated'],
    ['resets it without an error', (stream) => stream.reset(noError), 'connection_terminated'],
    ['goes away in anger', (stream) => stream.goAway(1, internalError), 'connection_terminated'],
    ['complains of the request', (stream) => stream.reset(protocolError), 'http_protocol_error'],
    ['has no status', (stream) => stream.head({ etag: '"a"' }, 'end'), 'http_protocol_error'],
    ['begins with the body', (stream) => stream.data('abc', 'end'), 'http_protocol_error'],
    [
      'has a field of a connection',
      (stream) => stream.head({ ':status': '200', connection: 'close' }, 'end'),
      'http_protocol_error',
    ],
    [
      'has a length that is none',
      (stream) => stream.head({ ':status': '200', 'content-length': '-2' }),
      'http_protocol_error',
    ],
    [
      'says that it is longer than numbers are exact',
      (stream) => stream.head({ ':status': '200', 'content-length': '9007199254740993' }),
      'http_protocol_error',
    ],
  ];
  it.each(cases)('an upstream that %s', async (_what, reply, code) => {
    expectNoLeaks();
    const origin = await frameOrigin(reply);
    await expect(http2().send(get(`${origin.url}/`))).rejects.toMatchObject({
      name: 'GatewayError',
      code,
      origin: 'upstream',
      retryable: true,
    });
    expect(origin.connections).toBe(1);
  });

  it('an upstream whose head is too large', async () => {
    const origin = await http2Origin();
    const large = Object.fromEntries(
      Array.from({ length: 80 }, (_, i) => [`x-${i}`, 'a'.repeat(1_000)]),
    );
    origin.serve('/large', { body: 'a', headers: large });
    origin.serve('/small', { body: 'a', headers: { 'x-a': 'a'.repeat(50_000) } });
    const transport = http2();
    await expect(transport.send(get(`${origin.url}/large`))).rejects.toMatchObject({
      code: 'http_protocol_error',
    });
    expect((await collect(await transport.send(get(`${origin.url}/small`)))).bytes).toHaveLength(1);
  });
});

describe('a body that breaks off', () => {
  const length = { ':status': '200', 'content-length': '9' };
  const cases: [string, Readonly<Record<string, string>>, Reply, ErrorCode][] = [
    ['short of its length', length, (it) => it.data('', 'end'), 'http_response_incomplete'],
    ['by a reset', length, (it) => it.reset(internalError), 'http_response_incomplete'],
    ['by a reset without error', length, (it) => it.reset(noError), 'http_response_incomplete'],
    ['by a cancel', length, (it) => it.reset(cancel), 'http_response_incomplete'],
    ['with its connection', length, (it) => it.cut(), 'http_response_incomplete'],
    [
      'as the upstream goes away in anger',
      length,
      (it) => it.goAway(1, internalError),
      'http_response_incomplete',
    ],
    [
      'longer than its length',
      length,
      (it) => it.data('defghij', 'end'),
      'http_response_incomplete',
    ],
  ];
  const unmeasured = cases.slice(1, -1).map((each) => {
    const [what, , reply, code] = each;
    return [`${what}, without a length`, { ':status': '200' }, reply, code] as const;
  });
  it.each([...cases, ...unmeasured])('%s is incomplete', async (_what, head, rest, code) => {
    expectNoLeaks();
    const origin = await frameOrigin((stream) => {
      stream.head(head);
      stream.data('abc');
      began.resolve(stream);
    });
    const began = Promise.withResolvers<FrameStream>();
    const response = await http2().send(get(`${origin.url}/`));
    const arrived = Promise.withResolvers<void>();
    const body = Promise.withResolvers<{ bytes: string; error: unknown }>();
    let bytes = '';
    response.consume({
      data(chunk) {
        bytes += chunk;
        arrived.resolve();
        return true;
      },
      end: () => body.resolve({ bytes, error: undefined }),
      error: (error) => body.resolve({ bytes, error }),
    });
    await arrived.promise;
    rest(await began.promise);
    expect(await body.promise).toMatchObject({
      error: { name: 'GatewayError', code, origin: 'upstream', retryable: true },
    });
    expect(bytes.startsWith('abc')).toBe(true);
  });

  it('broken before anybody consumed it tells whoever comes later', async () => {
    const origin = await frameOrigin((stream) => {
      stream.head({ ':status': '200', 'content-length': '9' });
      stream.data('abc');
      began.resolve(stream);
    });
    const began = Promise.withResolvers<FrameStream>();
    const response = await http2().send(get(`${origin.url}/`));
    const stream = await began.promise;
    stream.cut();
    await stream.disconnected;
    expect((await collect(response)).error).toMatchObject({ code: 'http_response_incomplete' });
  });
});

describe('a request that the upstream has not looked at', () => {
  it.each([
    ['refused', (stream: FrameStream) => stream.reset(refused)],
    ['behind the last stream of a GOAWAY', (stream: FrameStream) => stream.goAway(0, noError)],
  ])('%s is sent again over a fresh connection, once, whatever its method', async (_how, reply) => {
    const seen: number[] = [];
    const origin = await frameOrigin((stream) => {
      seen.push(stream.connection);
      if (stream.connection === 1) reply(stream);
      else answer(stream);
    });
    const response = await http2().send(get(`${origin.url}/`, { method: 'POST' }));
    expect((await collect(response)).bytes.toString()).toBe('ok');
    expect(seen).toEqual([1, 2]);
  });

  it('refused twice is the end', async () => {
    const origin = await frameOrigin((stream) => stream.reset(refused));
    await expect(http2().send(get(`${origin.url}/`))).rejects.toMatchObject({
      code: 'connection_terminated',
      retryable: true,
    });
    expect(origin.connections).toBe(2);
  });

  it('a GOAWAY lets the streams before it come to their end, and new ones go elsewhere', async () => {
    const streams: FrameStream[] = [];
    const origin = await frameOrigin((stream) => {
      streams.push(stream);
      if (stream.connection === 2) {
        answer(stream, 'elsewhere');
      } else if (stream.id === 1) {
        stream.head({ ':status': '200' });
        stream.data('abc');
      } else stream.goAway(1, noError);
    });
    const transport = http2();
    const first = collect(await transport.send(get(`${origin.url}/`)));
    const second = collect(await transport.send(get(`${origin.url}/`)));
    expect((await second).bytes.toString()).toBe('elsewhere');
    streams[0]?.data('def', 'end');
    expect(await first).toEqual({ bytes: Buffer.from('abcdef'), error: undefined });
  });
});

describe('a kept connection that dies under the request', () => {
  const dying = (death: Reply): Reply => {
    return (stream) => {
      if (stream.connection === 1 && stream.id > 1) death(stream);
      else answer(stream);
    };
  };

  it.each([
    ['closed', (stream: FrameStream) => stream.cut()],
    ['ended by an error', (stream: FrameStream) => stream.goAway(3, internalError)],
  ])('%s: sent again once, on a fresh one', async (_how, death) => {
    const origin = await frameOrigin(dying(death));
    const transport = http2();
    await collect(await transport.send(get(`${origin.url}/`)));
    const response = await transport.send(get(`${origin.url}/`));
    expect((await collect(response)).bytes.toString()).toBe('ok');
    expect(origin.connections).toBe(2);
  });

  it('is not tried again with a method that is not idempotent', async () => {
    const origin = await frameOrigin(dying((stream) => stream.cut()));
    const transport = http2();
    await collect(await transport.send(get(`${origin.url}/`)));
    await expect(transport.send(get(`${origin.url}/`, { method: 'POST' }))).rejects.toMatchObject({
      code: 'connection_terminated',
    });
    expect(origin.connections).toBe(1);
  });
});

it('a 421 is asked for once more over a connection of its own, and then stands', async () => {
  const origin = await http2Origin();
  origin.handle('/other', (request, response) => {
    response.writeHead(request.httpVersion === '2.0' ? 421 : 200);
    response.end('own');
  });
  origin.handle('/never', (_request, response) => {
    response.writeHead(421).end();
  });
  const transport = http2();
  const response = await transport.send(get(`${origin.url}/other`));
  expect(response.status).toBe(200);
  expect((await collect(response)).bytes.toString()).toBe('own');
  const refusal = await transport.send(get(`${origin.url}/never`));
  expect(refusal.status).toBe(421);
  await collect(refusal);
  expect(origin.requests.map(({ httpVersion }) => httpVersion)).toEqual([
    '2.0',
    '1.1',
    '2.0',
    '1.1',
  ]);
});

it.each([
  ['HTTP_1_1_REQUIRED', http1Required],
  ['ENHANCE_YOUR_CALM', enhanceYourCalm],
])('after %s the request is sent over HTTP/1.1, once', async (_name, code) => {
  const origin = await http2Origin();
  origin.handle('/', (request, response) => {
    if (request.httpVersion === '1.1') response.end('old');
    else (response as unknown as Http2ServerResponse).stream.close(code);
  });
  const transport = http2();
  const response = await transport.send(get(`${origin.url}/`));
  expect((await collect(response)).bytes.toString()).toBe('old');
  await expect(transport.send(get(`${origin.url}/`, { method: 'POST' }))).rejects.toMatchObject({
    origin: 'upstream',
  });
  expect(origin.requests.map(({ httpVersion }) => httpVersion)).toEqual(['2.0', '1.1', '2.0']);
});

import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/core/errors.ts';
import { collect } from '../support/collect.ts';
import { expectNoLeaks, openHandles } from '../support/leaks.ts';
import { chunks, close, hang, head, hold, reset, type Step } from '../support/replies.ts';
import { scriptedOrigin, startScriptedOrigin } from '../support/scripted-origin.ts';
import { until } from '../support/until.ts';
import { get, transportForTest } from './test-transport.ts';

describe('no response head', () => {
  const cases: [string, Step[], string][] = [
    ['closes', [close], 'connection_terminated'],
    ['resets', [reset], 'connection_terminated'],
    ['closes within the head', ['HTTP/1.1 200 OK\r\nA: b\r\n', close], 'http_response_incomplete'],
    ['speaks another protocol', ['SSH-2.0-OpenSSH_9\r\n', hang], 'http_protocol_error'],
    ['sends bytes without end', ['\0'.repeat(100_000), hang], 'http_protocol_error'],
    ['has no status', ['HTTP/1.1 abc\r\n\r\n', hang], 'http_protocol_error'],
    [
      'has a field without colon',
      ['HTTP/1.1 200 OK\r\nnonsense\r\n\r\n', hang],
      'http_protocol_error',
    ],
    [
      'has a space before the colon',
      ['HTTP/1.1 200 OK\r\nETag : "a"\r\n\r\n', hang],
      'http_protocol_error',
    ],
    [
      'has two lengths',
      [head('200 OK', { 'Content-Length': ['2', '3'] }), 'ok!'],
      'http_protocol_error',
    ],
    [
      'has a length that is none',
      [head('200 OK', { 'Content-Length': '-2' }), 'ok'],
      'http_protocol_error',
    ],
    [
      'has a length and chunks',
      [head('200 OK', { 'Content-Length': 2, 'Transfer-Encoding': 'chunked' }), chunks('ok')],
      'http_protocol_error',
    ],
    [
      'has an unknown coding',
      [head('200 OK', { 'Transfer-Encoding': 'gzip, chunked' }), chunks('ok')],
      'http_protocol_error',
    ],
    [
      'has no chunks after all',
      [head('200 OK', { 'Transfer-Encoding': 'identity' }), 'ok', close],
      'http_protocol_error',
    ],
    [
      'has a head too large',
      [head('200 OK', { A: 'a'.repeat(70_000) }), hang],
      'http_protocol_error',
    ],
    [
      'switches protocols unasked',
      [head('101 Switching Protocols', { Upgrade: 'x', Connection: 'upgrade' }), hang],
      'http_protocol_error',
    ],
  ];
  it.each(cases)('an upstream that %s', async (_what, steps, code) => {
    expectNoLeaks();
    const origin = await scriptedOrigin();
    const script = origin.expect('GET', '/', ...steps);
    await expect(transportForTest().send(get(`${origin.url}/`))).rejects.toMatchObject({
      name: 'GatewayError',
      code,
      origin: 'upstream',
      retryable: true,
    });
    await script.disconnected;
  });

  it('an upstream that hangs: the time to the first byte ends it', async () => {
    const origin = await scriptedOrigin();
    const script = origin.expect('GET', '/', hang);
    const transport = transportForTest({ firstByteTimeoutMs: 20 });
    await expect(transport.send(get(`${origin.url}/`))).rejects.toMatchObject({
      code: 'http_response_timeout',
      retryable: true,
    });
    await script.disconnected;
  });

  it('nobody listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    await new Promise((resolve) => server.close(resolve));
    await expect(transportForTest().send(get(`http://127.0.0.1:${port}/`))).rejects.toMatchObject({
      code: 'connection_refused',
      origin: 'upstream',
      retryable: true,
      cause: { code: 'ECONNREFUSED' },
    });
  });

  it('the TLS handshake hangs: the connection time ends it', async () => {
    const server = createServer((socket) => socket.resume().on('error', () => socket.destroy()));
    server.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const transport = transportForTest({ connectTimeoutMs: 20 });
    await expect(transport.send(get(`https://127.0.0.1:${port}/`))).rejects.toMatchObject({
      code: 'connection_timeout',
      retryable: true,
    });
    await new Promise((resolve) => server.close(resolve));
  });

  it.each([
    ['is unknown', Object.assign(new Error('no'), { code: 'ENOTFOUND' }), 'dns_error'],
    ['fails for now', Object.assign(new Error('no'), { code: 'EAI_AGAIN' }), 'dns_error'],
    ['is asked in vain', Object.assign(new Error('no'), { code: 'ETIMEOUT' }), 'dns_timeout'],
  ])('a name that %s', async (_what, error, code) => {
    const transport = transportForTest({ lookup: () => Promise.reject(error) });
    await expect(transport.send(get('http://registry.test/'))).rejects.toMatchObject({
      code,
      origin: 'upstream',
      retryable: true,
      cause: error,
    });
  });

  it('a name without addresses, and one that never resolves', async () => {
    expectNoLeaks();
    const none = transportForTest({ lookup: async () => [] });
    await expect(none.send(get('http://registry.test/'))).rejects.toMatchObject({
      code: 'dns_error',
    });
    const never = transportForTest({ connectTimeoutMs: 20, lookup: () => new Promise(() => {}) });
    await expect(never.send(get('http://registry.test/'))).rejects.toMatchObject({
      code: 'dns_timeout',
    });
  });
});

describe('a body that breaks off', () => {
  const cases: [string, Step[]][] = [
    ['short of its length', [head('200 OK', { 'Content-Length': 9 }), 'abc', hold, close]],
    [
      'short of its length, by reset',
      [head('200 OK', { 'Content-Length': 9 }), 'abc', hold, reset],
    ],
    [
      'short, on a connection that ends',
      [head('200 OK', { 'Content-Length': 9, Connection: 'close' }), 'abc', hold, close],
    ],
    [
      'within a chunk',
      [head('200 OK', { 'Transfer-Encoding': 'chunked' }), '9\r\nabc', hold, close],
    ],
    [
      'before the last chunk',
      [head('200 OK', { 'Transfer-Encoding': 'chunked' }), chunks('abc'), hold, close],
    ],
    [
      'before the last chunk, on a connection that ends',
      [
        head('200 OK', { 'Transfer-Encoding': 'chunked', Connection: 'close' }),
        chunks('abc'),
        hold,
        close,
      ],
    ],
    ['without a length, by reset', [head('200 OK'), 'abc', hold, reset]],
  ];
  it.each(cases)('%s is incomplete', async (_what, steps) => {
    expectNoLeaks();
    const origin = await scriptedOrigin();
    const script = origin.expect('GET', '/', ...steps);
    const answer = await transportForTest().send(get(`${origin.url}/`));
    const body = collect(answer);
    script.release();
    const { bytes, error } = await body;
    expect(bytes.toString()).toBe('abc');
    expect(error).toBeInstanceOf(GatewayError);
    expect(error).toMatchObject({
      code: 'http_response_incomplete',
      origin: 'upstream',
      retryable: true,
    });
  });

  it('broken before anybody consumed it tells whoever comes later', async () => {
    const before = openHandles().length;
    const origin = await startScriptedOrigin();
    const script = origin.expect('GET', '/', head('200 OK'), 'abc', hold, reset);
    const answer = await transportForTest().send(get(`${origin.url}/`));
    script.release();
    await script.disconnected;
    await origin.close();
    await until(() => openHandles().length <= before, 'the reset arrived');
    expect(await collect(answer)).toMatchObject({
      error: { code: 'http_response_incomplete' },
    });
  });

  it('a chunk size that is none is a protocol error', async () => {
    const origin = await scriptedOrigin();
    const script = origin.expect(
      'GET',
      '/',
      head('200 OK', { 'Transfer-Encoding': 'chunked' }),
      chunks('abc'),
      hold,
      'zz\r\n',
    );
    const body = collect(await transportForTest().send(get(`${origin.url}/`)));
    script.release();
    expect(await body).toMatchObject({
      bytes: Buffer.from('abc'),
      error: { code: 'http_protocol_error' },
    });
  });

  it('one that stops flowing times out; one that its reader paused does not', async () => {
    const origin = await scriptedOrigin();
    const paused = origin.expect(
      'GET',
      '/paused',
      head('200 OK', { 'Content-Length': 6 }),
      'abc',
      hold,
      'def',
    );
    const stopped = origin.expect(
      'GET',
      '/stopped',
      head('200 OK', { 'Content-Length': 6 }),
      'abc',
      hang,
    );
    const transport = transportForTest({ idleTimeoutMs: 20 });
    const first = await transport.send(get(`${origin.url}/paused`));
    const second = collect(await transport.send(get(`${origin.url}/stopped`)));
    // The paused one began earlier and has the same time.
    expect(await second).toMatchObject({
      bytes: Buffer.from('abc'),
      error: { code: 'connection_read_timeout', retryable: true },
    });
    await stopped.disconnected;
    paused.release();
    expect(await collect(first)).toEqual({ bytes: Buffer.from('abcdef'), error: undefined });
  });
});

import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { chunks, close, head, hold } from '../support/replies.ts';
import { scriptedOrigin } from '../support/scripted-origin.ts';
import { until } from '../support/until.ts';

async function setup() {
  const origin = await httpOrigin();
  origin.serve('/a', { body: 'hello', headers: { 'Cache-Control': 'max-age=60' } });
  const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
  return { origin, gateway };
}

/** Sends bytes as they are and reads until the gateway closes. */
async function raw(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk) => {
    text += chunk;
  });
  // A refusal may come as a reset after the answer.
  socket.on('error', () => socket.destroy());
  socket.write(bytes, 'latin1');
  await once(socket, 'close');
  return text;
}

describe('a malformed request is refused with a reason and nothing is forwarded', () => {
  test.each([
    ['no HTTP at all', 'hello\r\n\r\n'],
    ['a request line without a version', 'GET /files/a\r\nHost: x\r\n\r\n'],
    ['a field name with a space', 'GET /files/a HTTP/1.1\r\nHost: x\r\nbad name: x\r\n\r\n'],
    ['a folded field', 'GET /files/a HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n'],
    [
      'both framings',
      'POST /files/a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['two hosts', 'GET /files/a HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n'],
    ['no host', 'GET /files/a HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['a length that is none', 'POST /files/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\na'],
    ['a control character in a field', 'GET /files/a HTTP/1.1\r\nHost: x\r\nA: b\u0000c\r\n\r\n'],
  ])('%s', async (_what, bytes) => {
    const { origin, gateway } = await setup();
    const answer = await raw(gateway.url, bytes);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toMatch(/^Proxy-Status: millrace; error=http_request_error/im);
    expect(origin.requests).toHaveLength(0);
  });

  test('a head of more than 64 KiB', async () => {
    const { origin, gateway } = await setup();
    const answer = await raw(
      gateway.url,
      `GET /files/a HTTP/1.1\r\nHost: x\r\nA: ${'b'.repeat(70_000)}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(origin.requests).toHaveLength(0);
  });

  test.each([
    '/files/../secret',
    '/files/%2e%2e/secret',
    '/files/a/%2E%2E%2fsecret',
    '/files/..%5csecret',
    '/files/a/..;/b',
    '/files/..#x',
  ])('a path that climbs: %s', async (path) => {
    const { origin, gateway } = await setup();
    const answer = await gateway.get(path);
    expect(answer.status).toBe(400);
    expect(answer.field('proxy-status')).toContain('error=http_request_error');
    expect(origin.requests).toHaveLength(0);
  });

  test('a path of no mount', async () => {
    const { gateway } = await setup();
    const answer = await gateway.get('/elsewhere');
    expect(answer.status).toBe(404);
    expect(answer.body.toString()).toContain('/files');
    expect(answer.field('cache-status')).toBe('millrace; detail=refused');
  });
});

test.each([
  ['bytes=99999999999999999999-'],
  ['bytes=5-2'],
  ['bytes=a-b'],
  ['lines=1-2'],
  [`bytes=${Array.from({ length: 500 }, (_, i) => `${i}-${i}`).join(',')}`],
])('an absurd range is answered by the rules: %s', async (range) => {
  const { gateway } = await setup();
  const answer = await gateway.get('/files/a', { headers: { Range: range } });
  expect([200, 416]).toContain(answer.status);
  if (answer.status === 200) expect(answer.body.toString()).toBe('hello');
  else expect(answer.field('content-range')).toBe('bytes */5');
});

test('requests on one connection are answered in order', async () => {
  const { gateway } = await setup();
  const ask = (path: string, last = false) =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\n${last ? 'Connection: close\r\n' : ''}\r\n`;
  const answer = await raw(gateway.url, ask('/files/a') + ask('/none') + ask('/files/a', true));
  expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 404', 'HTTP/1.1 200']);
});

test('an upload that breaks off ends at once, with its line in the log', async () => {
  const { gateway } = await setup();
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => socket.destroy());
  socket.end('PUT /files/a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234');
  await once(socket.resume(), 'close');
  await until(() => gateway.log().some(({ msg }) => msg === 'request'), 'the log line');
});

test('TRACE is refused', async () => {
  const { gateway } = await setup();
  expect((await gateway.get('/files/a', { method: 'TRACE' })).status).toBe(403);
});

test('garbage behind a request that is still being answered does not end up in its body', async () => {
  const origin = await scriptedOrigin();
  const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
  const script = origin.expect(
    'GET',
    '/a',
    head('200 OK', { 'Content-Length': '10' }),
    '01234',
    hold,
    '56789',
  );
  const answered = raw(
    gateway.url,
    'GET /files/a HTTP/1.1\r\nHost: x\r\n\r\n\u0000garbage\r\n\r\n',
  );
  await script.requested;
  script.release();
  expect((await answered).split('\r\n\r\n')[1]).toBe('0123456789');
});

test('HTTP/1.0 clients, who know no chunks, see a body that was cut off by a reset', async () => {
  const origin = await scriptedOrigin();
  const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
  origin.expect(
    'GET',
    '/a',
    head('200 OK', { 'Transfer-Encoding': 'chunked' }),
    chunks('hello'),
    close,
  );
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  const failed = once(socket, 'error');
  socket.on('data', () => {});
  socket.write('GET /files/a HTTP/1.0\r\n\r\n');
  expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
});

test.each(['GET', 'POST'])(
  'HTTP/1.0 clients that say no more in the middle of a body see it cut off by a reset: %s',
  async (method) => {
    const origin = await scriptedOrigin();
    const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
    origin.expect(
      method,
      '/a',
      head('200 OK', { 'Transfer-Encoding': 'chunked', 'Cache-Control': 'no-store' }),
      chunks('hello'),
      hold,
    );
    const { hostname, port } = new URL(gateway.url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const failed = once(socket, 'error');
    socket.on('data', () => socket.end());
    socket.write(`${method} /files/a HTTP/1.0\r\n\r\n`);
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
  },
);

test('a client that leaves in the middle of a body for it alone takes the upstream exchange along', async () => {
  const origin = await scriptedOrigin();
  const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
  const fields = { 'Content-Length': '10', 'Cache-Control': 'no-store' };
  const script = origin.expect('GET', '/a', head('200 OK', fields), '01234', hold);
  const { message } = await gateway.client.open(`${gateway.url}/files/a`);
  await once(message, 'data');
  message.on('error', () => message.destroy());
  gateway.client.leave();
  await script.disconnected;
});

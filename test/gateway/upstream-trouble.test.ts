import { describe, expect, test } from 'vitest';
import { fieldValue } from '../../src/core/raw-headers.ts';
import { testGateway } from '../support/gateway.ts';
import { type HttpOrigin, httpOrigin } from '../support/http-origin.ts';
import {
  chunks,
  close,
  hang,
  head,
  lastChunk,
  reset,
  response,
  type Step,
} from '../support/replies.ts';
import { scriptedOrigin } from '../support/scripted-origin.ts';
import { selfSigned } from '../support/tls/self-signed.ts';
import { until } from '../support/until.ts';

/** A gateway with short idle timeouts before an origin that plays scripts. */
async function setup() {
  const origin = await scriptedOrigin();
  const gateway = await testGateway({
    mounts: [{ path: '/files', url: origin.url }],
    config: { timeouts: { connect: 500, firstByte: 500, idle: 500, floor: 500 } },
  });
  return { origin, gateway };
}

describe('an upstream that fails before its response is answered for with an honest error', () => {
  test.each<[string, Step[], number, string]>([
    ['sends garbage', ['SSH-2.0-OpenSSH\r\n'], 502, 'http_protocol_error'],
    ['closes without a word', [close], 502, 'connection_terminated'],
    ['never answers', [hang], 504, 'http_response_timeout'],
    [
      'sends a field name with a space',
      ['HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n'],
      502,
      'http_protocol_error',
    ],
    [
      'sends two different lengths',
      ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd'],
      502,
      'http_protocol_error',
    ],
  ])('%s', async (_what, steps, status, error) => {
    const { origin, gateway } = await setup();
    // An idempotent request is tried once more on a fresh connection at the most.
    origin.expect('GET', '/a', ...steps);
    if (steps[0] === close) await until(() => true);
    const answer = await gateway.get('/files/a');
    expect(answer.status).toBe(status);
    expect(answer.field('proxy-status')).toContain(`error=${error}`);
    expect(answer.aborted).toBe(false);
    expect(gateway.log().find(({ msg }) => msg === 'request')).toMatchObject({ error, status });
    expect(
      await gateway.admin(`/api/entries?url=${encodeURIComponent(`${origin.url}/a`)}`),
    ).toMatchObject({ entries: [] });
  });

  test('refuses the connection', async () => {
    const origin = await httpOrigin();
    const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
    await origin.close();
    const answer = await gateway.get('/files/a');
    expect(answer.status).toBe(502);
    expect(answer.field('proxy-status')).toContain('error=connection_refused');
  });

  test('has a certificate that nobody signed', async () => {
    const origin = await scriptedOrigin(selfSigned);
    const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
    const answer = await gateway.get('/files/a');
    expect(answer.status).toBe(502);
    expect(answer.field('proxy-status')).toContain('error=tls_certificate_error');
  });
});

describe('a body that breaks off ends in an aborted connection, never in a clean end, and is not stored', () => {
  test.each<[string, Step[]]>([
    [
      'shorter than its length',
      [head('200 OK', { 'Content-Length': '10', 'Cache-Control': 'max-age=60' }), '01234', close],
    ],
    [
      'without its last chunk',
      [
        head('200 OK', { 'Transfer-Encoding': 'chunked', 'Cache-Control': 'max-age=60' }),
        chunks('01234'),
        close,
      ],
    ],
    [
      'reset in the middle',
      [head('200 OK', { 'Content-Length': '10', 'Cache-Control': 'max-age=60' }), '01234', reset],
    ],
    [
      'that stops moving',
      [head('200 OK', { 'Content-Length': '10', 'Cache-Control': 'max-age=60' }), '01234', hang],
    ],
    [
      'with a chunk size that is none',
      [
        head('200 OK', { 'Transfer-Encoding': 'chunked', 'Cache-Control': 'max-age=60' }),
        chunks('01234'),
        'zz\r\n',
      ],
    ],
  ])('%s', async (_what, steps) => {
    const { origin, gateway } = await setup();
    origin.expect('GET', '/a', ...steps);
    const answer = await gateway.get('/files/a');
    expect(answer.status).toBe(200);
    expect(answer.body.toString()).toBe('01234');
    expect(answer.aborted).toBe(true);
    origin.expect('GET', '/a', response('200 OK', { 'Cache-Control': 'max-age=60' }, 'whole'));
    expect((await gateway.get('/files/a')).body.toString()).toBe('whole');
  });
});

describe('more than was declared', () => {
  test('the declared message is served and nothing after it', async () => {
    const { origin, gateway } = await setup();
    const declared = response('200 OK', { 'Cache-Control': 'max-age=60' }, 'hello');
    origin.expect(
      'GET',
      '/a',
      Buffer.concat([declared, Buffer.from('HTTP/1.1 200 OK\r\n\r\nevil')]),
    );
    const answer = await gateway.get('/files/a');
    expect(answer.body.toString()).toBe('hello');
    origin.expect('GET', '/b', response('200 OK', {}, 'second'));
    expect((await gateway.get('/files/b')).body.toString()).toBe('second');
  });

  test('chunked bodies lose their framing and keep their bytes', async () => {
    const { origin, gateway } = await setup();
    const fields = { 'Transfer-Encoding': 'chunked', 'Cache-Control': 'max-age=60' };
    origin.expect('GET', '/a', head('200 OK', fields), chunks('hello, ', 'world'), lastChunk);
    expect((await gateway.get('/files/a')).body.toString()).toBe('hello, world');
    const hit = await gateway.get('/files/a');
    expect(hit.body.toString()).toBe('hello, world');
    expect(hit.field('content-length')).toBe('12');
  });
});

describe('a broken connection under a strong validator', () => {
  test('is resumed with Range and If-Range, and the client sees one whole body', async () => {
    const { origin, gateway } = await setup();
    const fields = { ETag: '"v1"', 'Accept-Ranges': 'bytes', 'Cache-Control': 'max-age=60' };
    origin.expect(
      'GET',
      '/a',
      head('200 OK', { ...fields, 'Content-Length': '10' }),
      '0123',
      reset,
    );
    const resumed = origin.expect(
      'GET',
      '/a',
      response('206 Partial Content', { ...fields, 'Content-Range': 'bytes 4-9/10' }, '456789'),
    );
    const answer = await gateway.get('/files/a');
    expect(answer.body.toString()).toBe('0123456789');
    expect(answer.aborted).toBe(false);
    const request = await resumed.requested;
    expect(fieldValue(request.headers, 'range')).toBe('bytes=4-9');
    expect(fieldValue(request.headers, 'if-range')).toBe('"v1"');
    expect((await gateway.get('/files/a')).field('cache-status')).toContain('hit');
  });
});

describe('redirects', () => {
  test('of a package mount are followed, and the answer is stored under the first URL', async () => {
    const origin = await httpOrigin();
    const gateway = await testGateway({
      mounts: [{ path: '/files', url: origin.url, redirects: 'follow' }],
    });
    redirect(origin, '/a', '/b');
    origin.serve('/b', { body: 'there', headers: { 'Cache-Control': 'max-age=60' } });
    expect((await gateway.get('/files/a')).body.toString()).toBe('there');
    expect((await gateway.get('/files/a')).field('cache-status')).toContain('hit');
    expect(origin.requests).toHaveLength(2);
  });

  test('in a loop are an error', async () => {
    const origin = await httpOrigin();
    const gateway = await testGateway({
      mounts: [{ path: '/files', url: origin.url, redirects: 'follow' }],
    });
    redirect(origin, '/a', '/b');
    redirect(origin, '/b', '/a');
    const answer = await gateway.get('/files/a');
    expect(answer.status).toBe(502);
    expect(answer.field('proxy-status')).toContain('redirect_loop');
  });

  test('to a private address that nobody configured are refused', async () => {
    const [origin, inside] = [await httpOrigin(), await httpOrigin()];
    inside.serve('/secret', { body: 'secret' });
    const gateway = await testGateway({
      mounts: [{ path: '/files', url: origin.url, redirects: 'follow' }],
      config: { forwardProxy: { allow: [] } },
    });
    redirect(origin, '/a', `${inside.url}/secret`);
    const answer = await gateway.get('/files/a');
    expect(answer.status).toBe(502);
    expect(answer.field('proxy-status')).toContain('error=destination_ip_prohibited');
    expect(inside.requests).toHaveLength(0);
  });

  test('of a plain mount are the client’s, and lead back through the mount', async () => {
    const origin = await httpOrigin();
    const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
    redirect(origin, '/a', `${origin.url}/b?c#d`);
    const answer = await gateway.get('/files/a');
    expect(answer.status).toBe(302);
    expect(answer.field('location')).toBe(`${gateway.url}/files/b?c#d`);
  });
});

test('a second upstream takes over when the first is down', async () => {
  const [first, second] = [await httpOrigin(), await httpOrigin()];
  second.serve('/mirror/a', {
    body: 'from the second',
    headers: { 'Cache-Control': 'max-age=60' },
  });
  const gateway = await testGateway({
    mounts: [
      {
        path: '/files',
        url: first.url,
        upstreams: [{ url: first.url }, { url: `${second.url}/mirror` }],
      },
    ],
  });
  await first.close();
  expect((await gateway.get('/files/a')).body.toString()).toBe('from the second');
  expect((await gateway.get('/files/a')).field('cache-status')).toContain('hit');
});

function redirect(origin: HttpOrigin, from: string, to: string): void {
  origin.handle(from, (_request, reply) => {
    reply.writeHead(302, { Location: to }).end();
  });
}

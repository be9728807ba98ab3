import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { fieldLines } from '../../src/core/raw-headers.ts';
import { testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { raw } from '../support/raw.ts';
import { hold, response } from '../support/replies.ts';
import { scriptedOrigin } from '../support/scripted-origin.ts';
import { until } from '../support/until.ts';

const get = 'GET /files/a HTTP/1.1\r\nHost: x\r\n';
const post = 'POST /files/a HTTP/1.1\r\nHost: x\r\n';
const chunked = `${post}Transfer-Encoding: chunked\r\n\r\n`;
const evil = 'GET /files/evil HTTP/1.1\r\nHost: x\r\n\r\n';
const fields = (count: number) =>
  Array.from({ length: count }, (_, i) => `F${i}: ${i}\r\n`).join('');

describe.each([true, false])('fastPath: %s', (fastPath) => {
  /** A gateway before an origin to which any whole request that no script expects is an error. */
  async function setup() {
    const origin = await scriptedOrigin();
    const gateway = await testGateway({
      config: { fastPath },
      mounts: [{ path: '/files', url: origin.url }],
    });
    /** The next client notices nothing. */
    const canary = async () => {
      origin.expect('GET', '/canary', response('200 OK', { 'Cache-Control': 'no-store' }, 'sings'));
      expect((await gateway.get('/files/canary')).body.toString()).toBe('sings');
    };
    return { origin, gateway, canary };
  }

  describe('a head that can be read in two ways is refused, once, and its connection closed', () => {
    test.each<[string, string, RegExp?]>([
      // RFC 9112 section 6.3: which of the framings counts.
      ['CL.TE', `${post}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG`],
      ['TE.CL', `${post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n${evil}`],
      ['TE.TE: x after chunked', `${post}Transfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n`],
      ['TE.TE: x before chunked', `${post}Transfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n`],
      ['TE.TE: chunked twice', `${post}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`],
      [
        'TE.TE: two fields',
        `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n`,
      ],
      [
        'TE.TE: two fields, chunked last',
        `${post}Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      ],
      ['TE.TE: identity', `${post}Transfer-Encoding: identity\r\n\r\n0\r\n\r\n`],
      ['TE.TE: xchunked', `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
      ['TE.TE: in quotes', `${post}Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n`],
      ['TE.TE: with a parameter', `${post}Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n`],
      ['TE.TE: behind a vertical tab', `${post}Transfer-Encoding: \u000bchunked\r\n\r\n0\r\n\r\n`],
      ['TE.TE: empty, with a length', `${post}Transfer-Encoding:\r\nContent-Length: 3\r\n\r\nabc`],
      ['TE of GET', `${get}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
      ['TE in HTTP/1.0', `${chunked.replace('HTTP/1.1', 'HTTP/1.0')}0\r\n\r\n`],
      ['two lengths that differ', `${post}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`],
      ['two equal lengths', `${post}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`],
      ['a list of lengths', `${post}Content-Length: 3, 3\r\n\r\nabc`],
      ['a length with a sign', `${post}Content-Length: +3\r\n\r\nabc`],
      ['a negative length', `${post}Content-Length: -3\r\n\r\nabc`],
      ['a hexadecimal length', `${post}Content-Length: 0x3\r\n\r\nabc`],
      ['an empty length', `${post}Content-Length:\r\n\r\nabc`],
      ['a length beyond 53 bits', `${post}Content-Length: 9007199254740993\r\n\r\nabc`],
      ['a length beyond 64 bits', `${post}Content-Length: 18446744073709551619\r\n\r\nabc`],
      // RFC 9112 sections 2.2 and 5: where a line ends, and what a field line is.
      ['a fold before the first field', `GET /files/a HTTP/1.1\r\n Host: x\r\n\r\n`],
      ['a folded framing', `${post}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n`],
      ['bare LF everywhere', 'GET /files/a HTTP/1.1\nHost: x\n\n'],
      ['bare LF in a value', `${get}A: b\nContent-Length: 5\r\n\r\n`],
      ['bare LF at the end', 'GET /files/a HTTP/1.1\r\nHost: x\r\n\n'],
      ['bare CR in a value', `${get}A: b\rContent-Length: 5\r\n\r\n`],
      ['bare CR in a name', `${get}A\r: b\r\n\r\n`],
      ['bare CR as a line’s end', 'GET /files/a HTTP/1.1\r\nHost: x\r\rA: b\r\n\r\n'],
      ['space before the colon', `${post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`],
      ['no name', `${get}: b\r\n\r\n`],
      ['no colon', `${get}abc\r\n\r\n`],
      ['NUL in a name', `${get}A\u0000: b\r\n\r\n`],
      ['NUL in the target', 'GET /files/a\u0000b HTTP/1.1\r\nHost: x\r\n\r\n'],
      ['NUL in the method', 'G\u0000T /files/a HTTP/1.1\r\nHost: x\r\n\r\n'],
      ['eight bits in the target', 'GET /files/\u00e4 HTTP/1.1\r\nHost: x\r\n\r\n'],
      ['a space in the target', 'GET /files/a b HTTP/1.1\r\nHost: x\r\n\r\n'],
      ['tabs in the request line', 'GET\t/files/a\tHTTP/1.1\r\nHost: x\r\n\r\n'],
      // RFC 9112 section 3.2: for whom the request is.
      ['two hosts', 'GET /files/a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n'],
      ['two equal hosts', 'GET /files/a HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n'],
      ['a host with a path', 'GET /files/a HTTP/1.1\r\nHost: x/y\r\n\r\n'],
      ['a host with a user', 'GET /files/a HTTP/1.1\r\nHost: u@x\r\n\r\n'],
      ['a list of hosts', 'GET /files/a HTTP/1.1\r\nHost: x, y\r\n\r\n'],
      // RFC 9112 section 2.3: other versions.
      ['HTTP/0.9', 'GET /files/a\r\n\r\n'],
      ['HTTP/1.2', 'GET /files/a HTTP/1.2\r\nHost: x\r\n\r\n'],
      ['HTTP/1.10', 'GET /files/a HTTP/1.10\r\nHost: x\r\n\r\n'],
      ['http/1.1 in small letters', 'GET /files/a http/1.1\r\nHost: x\r\n\r\n'],
      ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0'],
      ['a TLS handshake', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003'],
      // RFC 9110 section 5.4: bounds.
      [
        'a request line of 70 kB',
        `GET /files/${'a'.repeat(70_000)} HTTP/1.1\r\n\r\n`,
        /^4(00|31)$/,
      ],
      ['a field name of 70 kB', `${get}${'a'.repeat(70_000)}: b\r\n\r\n`, /^4(00|31)$/],
      ['201 fields', `${get}${fields(200)}\r\n`, /^4(00|31)$/],
      [
        'credentials behind 2000 fields',
        `${get}${fields(2000)}Authorization: Bearer me\r\n\r\n`,
        /^4(00|31)$/,
      ],
      [
        'a framing behind 1000 fields',
        `DELETE /files/a HTTP/1.1\r\nHost: x\r\n${fields(1000)}Transfer-Encoding: chunked\r\n\r\n` +
          `${evil.length.toString(16)}\r\n${evil}\r\n0\r\n\r\n`,
        /^4(00|31)$/,
      ],
    ])('%s', async (_what, bytes, status = /^400$/) => {
      const { gateway, canary } = await setup();
      const answer = await raw(gateway.url, bytes);
      expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
      expect(answer.slice('HTTP/1.1 '.length).split(' ')[0]).toMatch(status);
      expect(answer).toMatch(/^Proxy-Status: millrace; error=http_request_error/im);
      await canary();
    });
  });

  test('what follows a request that says close is not looked at, in HTTP/1.0 either', async () => {
    const { origin, gateway, canary } = await setup();
    origin.expect('GET', '/a', response('200 OK', { 'Cache-Control': 'no-store' }, 'one'));
    const start = 'GET /files/a HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n';
    expect((await raw(gateway.url, start + evil)).match(/^HTTP\/1\.1 \d+/gm)).toHaveLength(1);
    expect(origin.requests).toHaveLength(1);
    await canary();
  });

  test('what follows a refused head is not looked at, though it came along', async () => {
    const { origin, gateway, canary } = await setup();
    const answer = await raw(gateway.url, `${get}Host: y\r\n\r\n${evil}${evil}`);
    expect(answer.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 400']);
    expect(origin.requests).toHaveLength(0);
    await canary();
  });

  describe('a body whose end is in doubt closes the connection, and no upstream takes it for whole', () => {
    test.each([
      ['a chunk size beyond 64 bits', '10000000000000003\r\nabc\r\n0\r\n\r\n'],
      ['a negative chunk size', '-3\r\nabc\r\n0\r\n\r\n'],
      ['a chunk size with 0x', '0x3\r\nabc\r\n0\r\n\r\n'],
      ['a space before the chunk size', ' 3\r\nabc\r\n0\r\n\r\n'],
      ['a space behind the chunk size', '3 \r\nabc\r\n0\r\n\r\n'],
      ['no chunk size', '\r\nabc\r\n0\r\n\r\n'],
      ['LF behind the chunk size', '3\nabc\r\n0\r\n\r\n'],
      ['LF behind the chunk', '3\r\nabc\n0\r\n\r\n'],
      ['LF inside a chunk extension', '3;a\nb\r\nabc\r\n0\r\n\r\n'],
      ['a chunk extension of 70 kB', `3;${'a'.repeat(70_000)}\r\nabc\r\n0\r\n\r\n`],
      ['a chunk longer than its size', '3\r\nabcd\r\n0\r\n\r\n'],
      ['a malformed trailer', '3\r\nabc\r\n0\r\nX y: z\r\n\r\n'],
      ['a framing in the trailers', `3\r\nabc\r\n0\r\nContent-Length: 9\r\n\r\n${evil}`],
    ])('%s', async (_what, body) => {
      const { origin, gateway, canary } = await setup();
      const answer = await raw(gateway.url, chunked + body + evil);
      expect(answer).toMatch(/^$|^HTTP\/1\.1 4\d\d /);
      expect(origin.requests).toHaveLength(0);
      await canary();
    });
  });

  describe('what is well-formed passes, and nothing besides', () => {
    test.each([
      ['with chunk extensions', `3;a=b;c="d e"\r\nabc\r\n0\r\n\r\n`],
      ['with trailers, which go no further', `3\r\nabc\r\n0\r\nX-Trailer: t\r\n\r\n`],
      ['with the size in capitals and zeros', `0003\r\nabc\r\n000\r\n\r\n`],
    ])('a chunked body %s', async (_what, body) => {
      const { origin, gateway, canary } = await setup();
      const script = origin.expect('POST', '/a', response('200 OK', {}, 'done'));
      const head = `${post}Connection: close\r\nTransfer-Encoding: Chunked\r\n\r\n`;
      const answer = await raw(gateway.url, head + body);
      expect(answer).toMatch(/^HTTP\/1\.1 200 .*done$/s);
      const request = await script.requested;
      expect(request.body.toString()).toBe('abc');
      expect(request.rawHead).not.toMatch(/trailer/i);
      await canary();
    });

    test.each(['GET', 'DELETE', 'OPTIONS'])(
      'a request in the body of %s is no request',
      async (method) => {
        const { origin, gateway, canary } = await setup();
        const start = `${method} /files/a HTTP/1.1\r\nHost: x\r\n`;
        for (const framed of [
          `Content-Length: ${evil.length}\r\n\r\n${evil}`,
          `Transfer-Encoding: chunked\r\n\r\n${evil.length.toString(16)}\r\n${evil}\r\n0\r\n\r\n`,
        ]) {
          origin.expect(method, '/a', response('200 OK', { 'Cache-Control': 'no-store' }, 'one'));
          origin.expect('GET', '/b', response('200 OK', { 'Cache-Control': 'no-store' }, 'two'));
          const answer = await raw(
            gateway.url,
            `${start}${framed}GET /files/b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
          );
          expect(answer.match(/\r\n\r\n(one|two)/g)).toEqual(['\r\n\r\none', '\r\n\r\ntwo']);
        }
        expect(origin.requests.map(({ target }) => target)).toEqual(['/a', '/b', '/a', '/b']);
        await canary();
      },
    );

    test('the target of a proxied request outweighs its Host', async () => {
      const origin = await httpOrigin();
      origin.serve('/a', { body: 'hello' });
      const gateway = await testGateway({ config: { fastPath } });
      const answer = await raw(
        gateway.url,
        `GET ${origin.url}/a HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 200 .*hello$/s);
      // RFC 9112 section 3.2.2: a proxy ignores the Host it received.
      const [request] = origin.requests;
      expect(fieldLines(request?.headers ?? [], 'host')).toEqual([`127.0.0.1:${origin.port}`]);
    });

    test('a request that comes one byte at a time, with 60 fields', async () => {
      const { origin, gateway, canary } = await setup();
      const script = origin.expect('GET', '/a', response('200 OK', {}, 'hello'));
      const bytes = `\r\n${get}${fields(60)}Connection: close\r\n\r\n`;
      expect(await raw(gateway.url, ...bytes)).toMatch(/^HTTP\/1\.1 200 .*hello$/s);
      const { headers } = await script.requested;
      for (let i = 0; i < 60; i += 1) expect(fieldLines(headers, `f${i}`)).toEqual([String(i)]);
      await canary();
    });

    test('fields that Connection lists go no further, but framing cannot be listed away', async () => {
      const { origin, gateway, canary } = await setup();
      const script = origin.expect('POST', '/a', response('200 OK', {}, 'done'));
      const answer = await raw(
        gateway.url,
        `${post}Connection: close, X-Hop, Content-Length, Host\r\nX-Hop: y\r\nContent-Length: ${evil.length}\r\n\r\n${evil}`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 200 .*done$/s);
      const { headers, body } = await script.requested;
      expect(body.toString()).toBe(evil);
      expect(fieldLines(headers, 'x-hop')).toEqual([]);
      expect(fieldLines(headers, 'host')).toHaveLength(1);
      await canary();
    });
  });

  describe('requests sent ahead', () => {
    test('are all answered, in order, to a client that reads', async () => {
      const origin = await httpOrigin();
      origin.handle('/n', (request, reply) => void reply.end(`<${request.url?.split('?')[1]}>`));
      const gateway = await testGateway({
        config: { fastPath },
        mounts: [{ path: '/files', url: origin.url }],
      });
      const count = 300;
      const asked = Array.from(
        { length: count },
        (_, i) =>
          `GET /files/n?${i} HTTP/1.1\r\nHost: x\r\n${i === count - 1 ? 'Connection: close\r\n' : ''}\r\n`,
      );
      const answer = await raw(gateway.url, asked.join(''));
      expect(answer.match(/<\d+>/g)).toEqual(Array.from({ length: count }, (_, i) => `<${i}>`));
    });

    test('that expect 100 Continue have it in front of their own answer, behind the others', async () => {
      const { origin, gateway } = await setup();
      const slow = origin.expect('GET', '/a', hold, response('200 OK', {}, 'one'));
      origin.expect('PUT', '/b', response('200 OK', {}, 'two'));
      const answer = raw(
        gateway.url,
        `${get}\r\nPUT /files/b HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc` +
          'PUT /files/../b HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc',
      );
      await slow.requested;
      slow.release();
      const heads = (await answer).match(/HTTP\/1\.1 \d+|\r\n\r\n(?!HTTP).{3}/g);
      const interim = 'HTTP/1.1 100';
      expect(heads).toEqual([
        ...['HTTP/1.1 200', '\r\n\r\none', interim, 'HTTP/1.1 200', '\r\n\r\ntwo'],
        ...[interim, 'HTTP/1.1 400', '\r\n\r\n400'],
      ]);
    });

    test.each([
      ['behind a request that is being answered', `${get}\r\n`, '1.1'],
      ['in HTTP/1.0', '', '1.0'],
    ])('an upgrade %s is an ordinary request', async (_what, before, version) => {
      const { origin, gateway } = await setup();
      const first = origin.expect('GET', '/a', hold, response('200 OK', {}, 'one'));
      if (before === '') first.used = true;
      const second = origin.expect('GET', '/b', response('200 OK', {}, 'two'));
      const answer = raw(
        gateway.url,
        `${before}GET /files/b HTTP/${version}\r\nHost: x\r\nUpgrade: websocket\r\n` +
          'Connection: close, upgrade\r\n\r\n',
      );
      expect((await second.requested).rawHead).not.toMatch(/upgrade/i);
      first.release();
      expect((await answer).match(/one|two/g)).toEqual(before === '' ? ['two'] : ['one', 'two']);
    });

    test('an expectation that nobody knows is ignored', async () => {
      const { origin, gateway } = await setup();
      const script = origin.expect('GET', '/a', response('200 OK', {}, 'one'));
      const answer = await raw(gateway.url, `${get}Expect: wonders\r\nConnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 200 .*one$/s);
      expect((await script.requested).rawHead).not.toMatch(/expect/i);
    });

    test('without end, by a client that does not read, are bounded', async () => {
      const origin = await httpOrigin();
      origin.handle('/slow', () => undefined);
      const gateway = await testGateway({
        config: { fastPath },
        mounts: [{ path: '/files', url: origin.url }],
      });
      const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
      socket.on('error', () => socket.destroy());
      const closed = new Promise((resolve) => socket.once('close', resolve));
      const ahead = (from: number, to: number) => {
        const asked = Array.from(
          { length: to - from },
          (_, i) => `GET /files/slow?${from + i} HTTP/1.1\r\nHost: x\r\n\r\n`,
        );
        socket.write(asked.join(''));
      };
      ahead(0, 500);
      await until(() => origin.requests.length >= 16, 'the first ones to be worked on');
      ahead(500, 50_000);
      await closed;
      const targets = Array.from({ length: 16 }, (_, i) => `/slow?${i}`);
      expect(origin.requests.map(({ target }) => target)).toEqual(targets);
      origin.serve('/a', { body: 'hello' });
      expect((await gateway.get('/files/a')).body.toString()).toBe('hello');
    });
  });

  describe('a response that can be read in two ways reaches no client and no store', () => {
    const ok = 'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n';
    test.each([
      ['both framings', `${ok}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
      ['an unknown coding', `${ok}Transfer-Encoding: x\r\n\r\n0\r\n\r\n`],
      ['a coding behind chunked', `${ok}Transfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n`],
      ['two lengths', `${ok}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`],
      ['a negative length', `${ok}Content-Length: -1\r\n\r\nabc`],
      ['a length with a sign', `${ok}Content-Length: +3\r\n\r\nabc`],
      ['a length beyond 53 bits', `${ok}Content-Length: 9007199254740993\r\n\r\nabc`],
      ['a length beyond 64 bits', `${ok}Content-Length: 18446744073709551619\r\n\r\nabc`],
      ['space before the colon', `${ok}Content-Length : 3\r\n\r\nabc`],
      ['bare CR in a value', `${ok}A: b\rc\r\nContent-Length: 3\r\n\r\nabc`],
      ['NUL in a value', `${ok}A: b\0c\r\nContent-Length: 3\r\n\r\nabc`],
      ['NUL in a name', `${ok}A\0: b\r\nContent-Length: 3\r\n\r\nabc`],
      ['no colon', `${ok}abc\r\nContent-Length: 3\r\n\r\nabc`],
      ['no name', `${ok}: b\r\nContent-Length: 3\r\n\r\nabc`],
      ['no status', 'HTTP/1.1 OK\r\nContent-Length: 3\r\n\r\nabc'],
      ['a status of four digits', 'HTTP/1.1 2000 OK\r\nContent-Length: 3\r\n\r\nabc'],
      ['a status below 100', 'HTTP/1.1 099 OK\r\nContent-Length: 3\r\n\r\nabc'],
      ['HTTP/0.9', 'abc'],
      ['HTTP/2', '\0\0\u0012\u0004\0\0\0\0\0'],
      ['a field of 70 kB', `${ok}A: ${'a'.repeat(70_000)}\r\nContent-Length: 3\r\n\r\nabc`],
      ['bare LF everywhere', 'HTTP/1.1 200 OK\nContent-Length: 3\n\nabc'],
      ['a fold', `${ok}A: b\r\n c\r\nContent-Length: 3\r\n\r\nabc`],
    ])('%s', async (_what, bytes) => {
      const { origin, gateway, canary } = await setup();
      origin.expect('GET', '/a', bytes);
      const answer = await gateway.get('/files/a');
      expect(answer.status).toBe(502);
      expect(answer.field('proxy-status')).toContain('error=http_protocol_error');
      expect(
        await gateway.admin(`/api/entries?url=${encodeURIComponent(`${origin.url}/a`)}`),
      ).toMatchObject({ entries: [] });
      await canary();
    });
  });
});

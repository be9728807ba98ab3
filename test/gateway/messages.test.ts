import { describe, expect, test } from 'vitest';
import type { ClientOptions } from '../support/client.ts';
import { Conversation } from '../support/conversation.ts';
import { testGateway } from '../support/gateway.ts';
import { raw } from '../support/raw.ts';
import {
  chunks,
  close,
  head,
  hold,
  lastChunk,
  reset,
  response,
  type Step,
} from '../support/replies.ts';
import { scriptedOrigin } from '../support/scripted-origin.ts';
import { untilSettled } from '../support/settled.ts';

const fresh = { 'Cache-Control': 'max-age=60' };
const passing = { 'Cache-Control': 'no-store' };
const done = response('200 OK', passing, 'done');

/** A response up to its last chunk. */
const chunked = (...pieces: readonly string[]) =>
  head('200 OK', { ...fresh, 'Transfer-Encoding': 'chunked', Trailer: 'X-T, ETag' }) +
  chunks(...pieces);

describe.each([true, false])('fastPath: %s', (fastPath) => {
  describe.each(['mount', 'forward proxy'] as const)('over the %s', (surface) => {
    async function setup() {
      const origin = await scriptedOrigin();
      const mounts = surface === 'mount' ? [{ path: '/files', url: origin.url }] : [];
      const gateway = await testGateway({ config: { fastPath }, mounts });
      const at = (path: string) => (surface === 'mount' ? `/files${path}` : `${origin.url}${path}`);
      const get = (path: string, options?: ClientOptions) => gateway.get(at(path), options);
      /** The start of a request on the wire. */
      const line = (method: string, path: string, version = '1.1') =>
        `${method} ${at(path)} HTTP/${version}\r\nHost: 127.0.0.1:${origin.port}\r\n`;
      /** The next client notices nothing. */
      const canary = async () => {
        origin.expect('GET', '/canary', response('200 OK', passing, 'sings'));
        expect((await get('/canary')).body.toString()).toBe('sings');
      };
      /** A connection to the origin that is kept. */
      const warm = async (method: string) => {
        origin.expect(method, '/warm', done);
        const options = method === 'GET' ? {} : { method, body: 'x' };
        expect((await get('/warm', options)).body.toString()).toBe('done');
      };
      return { origin, gateway, get, line, canary, warm };
    }

    describe('an idle upstream connection that dies under a request (RFC 9112 section 9.3.1)', () => {
      test.each<[string, Step]>([
        ['closed', close],
        ['reset', reset],
      ])('is replaced once by a fresh one, and nobody notices: %s', async (_how, death) => {
        const { origin, get, warm } = await setup();
        await warm('GET');
        origin.expect('GET', '/a', death);
        origin.expect('GET', '/a', response('200 OK', fresh, 'hello'));
        const answer = await get('/a');
        expect([answer.status, answer.body.toString()]).toEqual([200, 'hello']);
        expect(origin.requests.map(({ connection }) => connection)).toEqual([1, 1, 2]);
      });

      test('and dies again: a complete 502', async () => {
        const { origin, get, warm, canary } = await setup();
        await warm('GET');
        origin.expect('GET', '/a', reset);
        origin.expect('GET', '/a', reset);
        const answer = await get('/a');
        expect([answer.status, answer.aborted]).toEqual([502, false]);
        expect(answer.field('proxy-status')).toContain('error=connection_terminated');
        await canary();
      });

      test('is the end of a POST, which may have been heard (RFC 9110 section 9.2.2)', async () => {
        const { origin, get, warm, canary } = await setup();
        await warm('POST');
        origin.expect('POST', '/a', reset);
        const answer = await get('/a', { method: 'POST', body: 'once' });
        expect([answer.status, answer.aborted]).toEqual([502, false]);
        expect(origin.requests.filter(({ target }) => target === '/a')).toHaveLength(1);
        await canary();
      });
    });

    describe('the end of an upstream’s message is where it says (RFC 9112 section 6.3)', () => {
      const behind = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
      const hello = response('200 OK', fresh, 'hello').toString();
      const nothing = response('200 OK', fresh, '').toString();
      const headed = head('200 OK', { ...fresh, 'Content-Length': 5 });
      test.each<[string, string, string, string]>([
        ['Content-Length', 'GET', hello + behind, 'hello'],
        ['Content-Length of nothing', 'GET', nothing + behind, ''],
        ['the last chunk', 'GET', chunked('hello') + lastChunk + behind, 'hello'],
        ['the head of a 204', 'GET', head('204 No Content', fresh) + behind, ''],
        [
          'a 204 with a length',
          'GET',
          `${head('204 No Content', { 'Content-Length': 4 })}evil`,
          '',
        ],
        ['the head that answers HEAD', 'HEAD', `${headed}hello${behind}`, ''],
        ['the head that answers HEAD, chunked', 'HEAD', chunked('hello') + lastChunk, ''],
        ['Content-Length, to POST', 'POST', hello + behind, 'hello'],
      ])('what follows %s reaches nobody', async (_what, method, bytes, body) => {
        const { origin, get, canary } = await setup();
        origin.expect(method, '/a', bytes);
        const answer = await get('/a', method === 'POST' ? { method, body: 'x' } : { method });
        expect([answer.body.toString(), answer.aborted]).toEqual([body, false]);
        await canary();
        expect(origin.requests.map(({ connection }) => connection)).toEqual([1, 2]);
      });

      test('a Content-Length that says the same twice is refused, as RFC 9110 section 8.6 allows', async () => {
        const { origin, get, canary } = await setup();
        const twice = { ...fresh, 'Content-Length': ['5', '5'] };
        origin.expect('GET', '/a', head('200 OK', twice), 'hello');
        const answer = await get('/a');
        expect([answer.status, answer.aborted]).toEqual([502, false]);
        await canary();
      });

      test('framing in the trailers breaks the connection', async () => {
        const { origin, get, canary } = await setup();
        origin.expect('GET', '/a', chunked('hello'), '0\r\nContent-Length: 9\r\n\r\n');
        const answer = await get('/a');
        expect([answer.body.toString(), answer.aborted]).toEqual(['hello', true]);
        await canary();
      });

      test('without one it is the end of the connection', async () => {
        const { origin, gateway, get } = await setup();
        origin.expect('GET', '/a', head('200 OK', fresh), 'hello', close);
        const first = await get('/a');
        expect([first.body.toString(), first.aborted]).toEqual(['hello', false]);
        await untilSettled(gateway);
        expect((await get('/a')).field('content-length')).toBe('5');
      });
    });

    describe('what passes through without the cache', () => {
      const post: ClientOptions = { method: 'POST', body: 'x' };

      test.each<[string, Step[]]>([
        ['a chunk size that is none', [chunked('hello'), 'zz\r\n']],
        [
          'a body shorter than its length',
          [head('200 OK', { 'Content-Length': 10 }), 'hello', close],
        ],
        ['a body without its last chunk', [chunked('hello'), close]],
      ])('%s ends in a broken connection', async (_what, steps) => {
        const { origin, get, canary } = await setup();
        origin.expect('POST', '/a', ...steps);
        const answer = await get('/a', post);
        expect([answer.body.toString(), answer.aborted]).toEqual(['hello', true]);
        await canary();
      });

      test.each<[string, string]>([
        ['both framings', 'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
        ['two lengths', 'Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd'],
        ['a length that is none', 'Content-Length: 3x\r\n\r\nabc'],
        ['bare LF', 'Content-Length: 3\n\nabc'],
      ])('%s in a response is refused', async (_what, rest) => {
        const { origin, get, canary } = await setup();
        origin.expect('POST', '/a', `HTTP/1.1 200 OK\r\n${rest}`);
        const answer = await get('/a', post);
        expect([answer.status, answer.aborted]).toEqual([502, false]);
        expect(answer.field('proxy-status')).toContain('error=http_protocol_error');
        await canary();
      });
    });

    describe('trailers (RFC 9110 section 6.5.1)', () => {
      const trailing = [
        chunked('hello'),
        '0\r\nX-T: late\r\nETag: "999"\r\nCache-Control: no-store\r\n\r\n',
      ];

      test('of a response are dropped, on a miss and on a hit', async () => {
        const { origin, line, gateway } = await setup();
        origin.expect('GET', '/a', ...trailing);
        for (let i = 0; i < 2; i++) {
          const text = await raw(
            gateway.url,
            `${line('GET', '/a')}TE: trailers\r\nConnection: close, TE\r\n\r\n`,
          );
          expect(text).toMatch(/^HTTP\/1\.1 200 /);
          expect(text).toContain('hello');
          expect(text).not.toMatch(/x-t|999|no-store|trailer/i);
          await untilSettled(gateway);
        }
        expect(origin.requests).toHaveLength(1);
        // Nobody here would pass on what it asks for.
        expect(origin.requests[0]?.rawHead).not.toMatch(/^te:/im);
      });

      test('of a response that passes through are dropped', async () => {
        const { origin, line, gateway } = await setup();
        origin.expect('POST', '/a', ...trailing);
        const text = await raw(
          gateway.url,
          `${line('POST', '/a')}Content-Length: 0\r\nConnection: close\r\n\r\n`,
        );
        expect(text).toContain('hello');
        expect(text).not.toMatch(/x-t|999|no-store|trailer/i);
      });
    });

    describe('requests sent ahead (RFC 9112 section 9.3.2)', () => {
      test('are answered in order, though the later ones are at hand', async () => {
        const { origin, gateway, get, line } = await setup();
        origin.expect('GET', '/hit', response('200 OK', fresh, 'second'));
        await get('/hit');
        await untilSettled(gateway);
        const slow = origin.expect('GET', '/slow', hold, response('200 OK', fresh, 'first'));
        const answered = raw(
          gateway.url,
          `${line('GET', '/slow')}\r\n${line('GET', '/hit')}\r\n${line('HEAD', '/hit')}\r\n` +
            `${line('GET', '/hit')}Range: bytes=1-2\r\nConnection: close\r\n\r\n`,
        );
        await slow.requested;
        slow.release();
        const heads = (await answered)
          .split(/(?=HTTP\/1\.1 )/)
          .map((text) => text.split('\r\n\r\n'));
        expect(heads.map(([first = '', body]) => [first.slice(9, 12), body])).toEqual([
          ['200', 'first'],
          ['200', 'second'],
          ['200', ''],
          ['206', 'ec'],
        ]);
      });

      test('behind a body that broke off are answered by nobody', async () => {
        const { origin, gateway, line } = await setup();
        origin.expect('GET', '/a', head('200 OK', { 'Content-Length': 10 }), '01234', close);
        const ahead = origin.expect('GET', '/b', response('200 OK', fresh, 'later'));
        const text = await raw(gateway.url, `${line('GET', '/a')}\r\n${line('GET', '/b')}\r\n`);
        expect(text).toMatch(/\r\n\r\n01234$/);
        // Whether it was asked for by then is open.
        ahead.used = true;
      });
    });

    describe('Expect: 100-continue (RFC 9110 section 10.1.1)', () => {
      test('has its 100 from the gateway, and goes no further', async () => {
        const { origin, gateway, line } = await setup();
        const script = origin.expect('PUT', '/a', done);
        const client = new Conversation(gateway.url);
        client.say(`${line('PUT', '/a')}Expect: 100-Continue\r\nContent-Length: 4\r\n\r\n`);
        expect(await client.heard(/\r\n\r\n/)).toBe('HTTP/1.1 100 Continue\r\n\r\n');
        client.say('body');
        expect(await client.heard(/done$/)).toMatch(/\r\n\r\nHTTP\/1\.1 200 /);
        const { rawHead, body } = await script.requested;
        expect(rawHead).not.toMatch(/expect/i);
        expect(body.toString()).toBe('body');
      });

      test('is nothing in HTTP/1.0', async () => {
        const { origin, gateway, line } = await setup();
        origin.expect('PUT', '/a', done);
        const text = await raw(
          gateway.url,
          `${line('PUT', '/a', '1.0')}Expect: 100-continue\r\nContent-Length: 4\r\n\r\nbody`,
        );
        expect(text).toMatch(/^HTTP\/1\.1 200 .*done$/s);
      });
    });

    test('HTTP/1.0 clients get no chunks, and a body that ends with the connection', async () => {
      const { origin, gateway, line } = await setup();
      origin.expect('GET', '/a', chunked('hel', 'lo'), lastChunk);
      const text = await raw(gateway.url, `${line('GET', '/a', '1.0')}\r\n`);
      expect(text).toMatch(/\r\n\r\nhello$/);
      expect(text).not.toMatch(/transfer-encoding/i);
    });
  });
});

import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { testGateway } from '../support/gateway.ts';
import { raw } from '../support/raw.ts';
import { head, hold, response } from '../support/replies.ts';
import { scriptedOrigin } from '../support/scripted-origin.ts';
import { until } from '../support/until.ts';

const hints = head('103 Early Hints', {
  Link: '</style.css>; rel=preload',
  'X-Hop': 'one',
  Connection: 'x-hop',
});
const processing = head('102 Processing');
const answer = response('200 OK', { 'Cache-Control': 'max-age=60' }, 'done');

/** The status lines of what a connection brought, in order. */
const statuses = (text: string): string[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status as string);

describe.each(['mount', 'forward proxy'] as const)('interim responses over the %s', (surface) => {
  async function setUp() {
    const origin = await scriptedOrigin();
    const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
    const target = surface === 'mount' ? '/files/a' : `${origin.url}/a`;
    const message = (start: string, ...fields: string[]) =>
      [start, `Host: 127.0.0.1:${origin.port}`, ...fields, '', ''].join('\r\n');
    const get = (...fields: string[]) =>
      raw(gateway.url, message(`GET ${target} HTTP/1.1`, 'Connection: close', ...fields));
    return { origin, gateway, target, get, message };
  }

  test('go through before the final one, and never come with what is stored', async () => {
    const { origin, get } = await setUp();
    origin.expect('GET', '/a', processing, hints, answer);
    const first = await get();
    expect(statuses(first)).toEqual(['102', '103', '200']);
    expect(first).toMatch(
      /103 Early Hints\r\nLink: <\/style.css>; rel=preload\r\nVia: [^\r]+\r\n\r\n/,
    );
    const second = await get();
    expect(statuses(second)).toEqual(['200']);
    expect(second).toContain('; hit');
    expect(second).not.toContain('style.css');
  });

  test('go to everybody who waits', async () => {
    const asked: ServerResponse[] = [];
    const server = createServer((_request, waiting) => asked.push(waiting)).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const gateway = await testGateway({ mounts: [{ path: '/files', url }] });
    const target = surface === 'mount' ? '/files/a' : `${url}/a`;
    const heard = [0, 0, 0];
    const all = heard.map(async (_, i) => {
      const onInterim = () => {
        heard[i] = 1;
      };
      return gateway.get(target, { onInterim });
    });
    await until(() => {
      asked[0]?.writeProcessing();
      return !heard.includes(0);
    }, 'everybody to hear of it');
    asked[0]?.end('done');
    for (const { body } of await Promise.all(all)) expect(body.toString()).toBe('done');
    expect(asked).toHaveLength(1);
  });

  test('go through with what the cache has no part in', async () => {
    const { origin, gateway, target, message } = await setUp();
    origin.expect('POST', '/a', processing, hints, answer);
    const start = `POST ${target} HTTP/1.1`;
    const text = await raw(
      gateway.url,
      message(start, 'Connection: close', 'Content-Length: 2'),
      'hi',
    );
    expect(statuses(text)).toEqual(['102', '103', '200']);
    expect(text).not.toContain('X-Hop');
  });

  test('go through with a response that is for one client alone', async () => {
    const { origin, get } = await setUp();
    origin.expect('GET', '/a', hints, response('200 OK', { 'Cache-Control': 'no-store' }, 'mine'));
    expect(statuses(await get('Cache-Control: no-store'))).toEqual(['103', '200']);
  });

  test('are none of HTTP/1.0', async () => {
    const { origin, gateway, target, message } = await setUp();
    origin.expect('GET', '/a', hints, answer);
    const text = await raw(gateway.url, message(`GET ${target} HTTP/1.0`));
    expect(statuses(text)).toEqual(['200']);
  });

  test('do not come between the responses of a connection', async () => {
    const { origin, gateway, target, message } = await setUp();
    const first = origin.expect('GET', '/a', hold, answer);
    const second = origin.expect('GET', '/ab', hints, hold, answer);
    const text = raw(
      gateway.url,
      message(`GET ${target} HTTP/1.1`),
      message(`GET ${target}b HTTP/1.1`, 'Connection: close'),
    );
    await Promise.all([first.requested, second.requested]);
    second.release();
    const answered = /^millrace_upstream_requests_total\{.*2xx.*\} 1$/m;
    await until(async () => {
      const { body } = await gateway.client.send(`${gateway.adminUrl}/metrics`);
      return answered.test(body.toString());
    }, 'the second to be answered');
    first.release();
    expect(statuses(await text)).toEqual(['200', '200']);
  });
});

import { describe, expect, it } from 'vitest';
import { collect } from '../support/collect.ts';
import { close, reset, response, type Step } from '../support/replies.ts';
import { scriptedOrigin } from '../support/scripted-origin.ts';
import { get, transportForTest } from './test-transport.ts';

const ok = response('200 OK', {}, 'ok');

describe('a kept connection that dies under the request', () => {
  const dying: [string, Step][] = [
    ['closed', close],
    ['reset', reset],
  ];
  it.each(dying)('%s: sent again once, on a fresh connection', async (_how, death) => {
    const origin = await scriptedOrigin();
    origin.expect('GET', '/a', ok);
    origin.expect('GET', '/b', death);
    origin.expect('GET', '/b', ok);
    const transport = transportForTest();
    await collect(await transport.send(get(`${origin.url}/a`)));
    const answer = await transport.send(get(`${origin.url}/b`));
    expect((await collect(answer)).bytes.toString()).toBe('ok');
    expect(origin.requests.map(({ connection }) => connection)).toEqual([1, 1, 2]);
  });

  it('dies twice: the second time is the end', async () => {
    const origin = await scriptedOrigin();
    origin.expect('GET', '/a', ok);
    origin.expect('GET', '/b', reset);
    origin.expect('GET', '/b', reset);
    const transport = transportForTest();
    await collect(await transport.send(get(`${origin.url}/a`)));
    await expect(transport.send(get(`${origin.url}/b`))).rejects.toMatchObject({
      code: 'connection_terminated',
    });
  });

  it('is not tried again with a method that is not idempotent, or after a byte', async () => {
    const origin = await scriptedOrigin();
    origin.expect('GET', '/a', ok);
    origin.expect('POST', '/b', reset);
    origin.expect('GET', '/c', ok);
    origin.expect('GET', '/d', 'HTTP/1.1 200', close);
    const transport = transportForTest();
    await collect(await transport.send(get(`${origin.url}/a`)));
    await expect(transport.send(get(`${origin.url}/b`, { method: 'POST' }))).rejects.toMatchObject({
      code: 'connection_terminated',
    });
    await collect(await transport.send(get(`${origin.url}/c`)));
    await expect(transport.send(get(`${origin.url}/d`))).rejects.toMatchObject({
      code: 'http_response_incomplete',
    });
  });
});

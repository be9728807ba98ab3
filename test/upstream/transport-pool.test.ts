import { expect, it } from 'vitest';
import { GatewayError } from '../../src/core/errors.ts';
import type { UpstreamResponse } from '../../src/upstream/upstream.ts';
import { collect } from '../support/collect.ts';
import { expectNoLeaks } from '../support/leaks.ts';
import { hang, head, hold, response } from '../support/replies.ts';
import { scriptedOrigin } from '../support/scripted-origin.ts';
import { until } from '../support/until.ts';
import { get, transportForTest } from './test-transport.ts';

const ok = response('200 OK', {}, 'ok');

it('keeps connections: requests one after the other use the same', async () => {
  expectNoLeaks();
  const origin = await scriptedOrigin();
  const transport = transportForTest();
  for (let i = 0; i < 5; i += 1) {
    origin.expect('GET', `/${i}`, ok);
    await collect(await transport.send(get(`${origin.url}/${i}`)));
  }
  expect(origin.connections).toBe(1);
});

it('does not use a connection again that the upstream said it would close', async () => {
  const origin = await scriptedOrigin();
  origin.expect('GET', '/a', response('200 OK', { Connection: 'close' }, 'ok'));
  origin.expect('GET', '/b', ok);
  const transport = transportForTest();
  await collect(await transport.send(get(`${origin.url}/a`)));
  await collect(await transport.send(get(`${origin.url}/b`)));
  expect(origin.connections).toBe(2);
});

it('opens no more connections than allowed, and serves who waits in order', async () => {
  expectNoLeaks();
  const origin = await scriptedOrigin();
  const scripts = [0, 1, 2, 3, 4].map((i) => origin.expect('GET', `/${i}`, hold, ok));
  const transport = transportForTest({ connectionsPerOrigin: 2 });
  const finished: number[] = [];
  const all = scripts.map(async (_script, i) => {
    await collect(await transport.send(get(`${origin.url}/${i}`)));
    finished.push(i);
  });
  for (const [i, script] of scripts.entries()) {
    await script.requested;
    expect(origin.connections).toBeLessThanOrEqual(2);
    script.release();
    await until(() => finished.includes(i));
  }
  await Promise.all(all);
  expect(origin.requests.map(({ target }) => target)).toEqual(['/0', '/1', '/2', '/3', '/4']);
});

it('a failed exchange frees its place for the next one', async () => {
  const origin = await scriptedOrigin();
  const transport = transportForTest({ connectionsPerOrigin: 1, firstByteTimeoutMs: 20 });
  origin.expect('GET', '/hangs', hang);
  origin.expect('GET', '/next', ok);
  const failing = transport.send(get(`${origin.url}/hangs`));
  const next = transport.send(get(`${origin.url}/next`));
  await expect(failing).rejects.toMatchObject({ code: 'http_response_timeout' });
  expect((await collect(await next)).bytes.toString()).toBe('ok');
});

it('abort before the head: rejects, and ends the connection', async () => {
  expectNoLeaks();
  const origin = await scriptedOrigin();
  const script = origin.expect('GET', '/', hang);
  const transport = transportForTest();
  const abort = new AbortController();
  const sent = transport.send(get(`${origin.url}/`), abort.signal);
  await script.requested;
  abort.abort();
  await expect(sent).rejects.toMatchObject({ code: 'client_gone', origin: 'client' });
  await script.disconnected;
  await expect(transport.send(get(`${origin.url}/`), abort.signal)).rejects.toMatchObject({
    code: 'client_gone',
  });
});

it('abort while the name resolves, and while waiting for a connection', async () => {
  expectNoLeaks();
  const origin = await scriptedOrigin();
  origin.expect('GET', '/first', hold, ok).release();
  const held = origin.expect('GET', '/held', hold, ok);
  const reason = new GatewayError('shutting_down', 'enough', { origin: 'gateway' });

  const resolving = transportForTest({ lookup: () => new Promise(() => {}) });
  const first = new AbortController();
  const unresolved = resolving.send(get('http://registry.test/'), first.signal);
  first.abort(reason);
  await expect(unresolved).rejects.toBe(reason);

  const transport = transportForTest({ connectionsPerOrigin: 1 });
  await collect(await transport.send(get(`${origin.url}/first`)));
  const running = transport.send(get(`${origin.url}/held`));
  const second = new AbortController();
  const waiting = transport.send(get(`${origin.url}/never`), second.signal);
  await held.requested;
  second.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'client_gone' });
  held.release();
  expect((await collect(await running)).bytes.toString()).toBe('ok');
});

it('a signal that fires after the head changes nothing', async () => {
  const origin = await scriptedOrigin();
  const script = origin.expect('GET', '/', head('200 OK', { 'Content-Length': 2 }), hold, 'ok');
  const abort = new AbortController();
  const answer = await transportForTest().send(get(`${origin.url}/`), abort.signal);
  abort.abort();
  script.release();
  expect((await collect(answer)).bytes.toString()).toBe('ok');
});

it('close ends what is in flight, what waits and what is idle', async () => {
  expectNoLeaks();
  const origin = await scriptedOrigin();
  origin.expect('GET', '/idle', ok);
  const body = origin.expect('GET', '/body', head('200 OK', { 'Content-Length': 9 }), 'abc', hang);
  const headless = origin.expect('GET', '/head', hang);
  const transport = transportForTest({ connectionsPerOrigin: 2 });
  const url = (path: string): Promise<UpstreamResponse> => transport.send(get(origin.url + path));
  await collect(await url('/idle'));
  const flowing = collect(await url('/body'));
  const outcomes = Promise.allSettled([url('/head'), url('/waiting')]);
  await headless.requested;
  await transport.close();
  expect(await outcomes).toMatchObject([
    { reason: { code: 'shutting_down' } },
    { reason: { code: 'shutting_down' } },
  ]);
  expect((await flowing).error).toMatchObject({ code: 'shutting_down' });
  await body.disconnected;
  await until(() => origin.open === 0);
  await expect(url('/late')).rejects.toMatchObject({ code: 'shutting_down' });
});

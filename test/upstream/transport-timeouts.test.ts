import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { collect } from '../support/collect.ts';
import { expectNoLeaks } from '../support/leaks.ts';
import { hang, response } from '../support/replies.ts';
import { scriptedOrigin } from '../support/scripted-origin.ts';
import { get, transportForTest } from './test-transport.ts';

const timeouts = { connectMs: 20, firstByteMs: 20 };

it('a request may wait for its head for less than others do', async () => {
  expectNoLeaks();
  const origin = await scriptedOrigin();
  origin.expect('GET', '/', hang);
  await expect(transportForTest().send(get(`${origin.url}/`, { timeouts }))).rejects.toMatchObject({
    code: 'http_response_timeout',
    retryable: true,
  });
});

it('and for its connection', async () => {
  const server = createServer((socket) => socket.resume().on('error', () => socket.destroy()));
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const sent = transportForTest().send(get(`https://127.0.0.1:${port}/`, { timeouts }));
  await expect(sent).rejects.toMatchObject({ code: 'connection_timeout', retryable: true });
});

it('each connection that was opened is told of, with its time', async () => {
  const origin = await scriptedOrigin();
  const opened: [string, number][] = [];
  const transport = transportForTest({ onConnect: (...connection) => opened.push(connection) });
  for (let i = 0; i < 2; i += 1) {
    origin.expect('GET', '/', response('200 OK', {}, 'ok'));
    await collect(await transport.send(get(`${origin.url}/`)));
  }
  expect(opened).toEqual([[origin.url, expect.any(Number)]]);
});

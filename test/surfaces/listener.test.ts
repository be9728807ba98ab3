import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createListener } from '../../src/surfaces/listener.ts';
import type { ListenerTimes } from '../../src/surfaces/listener-times.ts';
import { Conversation } from '../support/conversation.ts';

const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const long = 60_000;

/** A listener whose requests are answered so, or not at all. */
async function listening(
  times: Partial<ListenerTimes>,
  handle: (request: IncomingMessage, response: ServerResponse) => void = () => undefined,
) {
  const refused: string[] = [];
  const server = createListener(
    {
      async handle(request, response) {
        handle(request, response);
      },
      upgrade: (_request, socket) => void socket.destroy(),
    },
    { connect: (_request, socket) => void socket.destroy() },
    (reason) => refused.push(reason),
    { times: { head: long, keepAlive: long, stalled: long, ...times } },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const say = (bytes: string) => {
    const client = new Conversation(url);
    client.say(bytes);
    return client;
  };
  return { url, say, refused };
}

test('a head that does not come in time is answered with a 408 (RFC 9110 section 15.5.9)', async () => {
  const { say, refused } = await listening({ head: 20 });
  const text = await say('GET / HTTP/1.1\r\nHost: ').closed();
  expect(text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
  expect(text).toMatch(/\r\nConnection: close\r\n/);
  expect(text).toMatch(/\r\nProxy-Status: millrace; error=http_request_error/);
  expect(refused).toEqual(['head-timeout']);
});

test('a connection without another request is closed without a word', async () => {
  const { say } = await listening({ keepAlive: 1 }, (_request, response) => response.end('hello'));
  expect(await say(get).closed()).toMatch(/\r\n\r\nhello$/);
});

test('a client that says nothing is gone after a while', async () => {
  const { say, refused } = await listening({ stalled: 20 });
  expect(await say('').closed()).toBe('');
  expect(refused).toEqual([]);
});

test('so is one whose request stops in its body', async () => {
  const { say } = await listening({ stalled: 20 });
  const unfinished = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234';
  expect(await say(unfinished).closed()).toBe('');
});

test('so is one that does not take its answer', async () => {
  const closed = Promise.withResolvers<void>();
  const { say } = await listening({ stalled: 20 }, (_request, response) => {
    response.once('close', () => closed.resolve());
    response.write(Buffer.alloc(64 * 2 ** 20));
  });
  say(get).pause();
  await closed.promise;
});

test('and its answer does not end in order, where only that would end it', async () => {
  const closed = Promise.withResolvers<void>();
  const { url } = await listening({ stalled: 20 }, (_request, response) => {
    response.once('close', () => closed.resolve());
    response.write(Buffer.alloc(64 * 2 ** 20));
  });
  const socket = connect(Number(new URL(url).port), '127.0.0.1').pause();
  const end = new Promise((resolve) => {
    socket.once('error', resolve).once('end', () => resolve('in order'));
  });
  socket.write('GET / HTTP/1.0\r\nHost: x\r\n\r\n');
  await closed.promise;
  socket.resume();
  expect(await end).toMatchObject({ code: 'ECONNRESET' });
});

test('but not one that waits for an answer which has not begun', async () => {
  const waiting = Promise.withResolvers<ServerResponse>();
  const { say } = await listening({ stalled: 20 }, (_request, response) => {
    waiting.resolve(response);
  });
  const patient = say(get);
  const response = await waiting.promise;
  // Who came later and says nothing is gone: by then the time is over for the one who waits, too.
  await say('').closed();
  response.end('hello');
  expect(await patient.heard(/hello/)).toMatch(/^HTTP\/1\.1 200 /);
});

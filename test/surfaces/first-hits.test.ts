import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { Talk } from '../http/safety/talk.ts';
import { setup } from '../http/safety/two-gateways.ts';
import { untilSettled } from '../support/settled.ts';

const get = (path: string, fields = '') =>
  `GET /files/${path} HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n${fields}\r\n`;

/** What Node's HTTP server reads of the requests to a gateway, by their targets. */
function readBy(url: string): string[] {
  const { port } = new URL(url);
  const read: string[] = [];
  const heard = (message: unknown): void => {
    const { request } = message as { request: IncomingMessage };
    if (request.socket.localPort === Number(port)) read.push(request.url ?? '');
  };
  subscribe('http.server.request.start', heard);
  onTestFinished(() => void unsubscribe('http.server.request.start', heard));
  return read;
}

test('what is stored is answered without the HTTP server, also to those who ask for it first', async () => {
  const { fast } = await setup();
  const stored = ['a', 'middle', 'gone'];
  const brings = new Talk(fast.url);
  for (const path of stored) await brings.ask([get(path)], ['GET']);
  await brings.end();
  await untilSettled(fast);

  const read = readBy(fast.url);
  const talk = new Talk(fast.url);
  await talk.ask([get('private')], ['GET']);
  for (const path of stored) await talk.ask([get(path)], ['GET']);
  // Ahead of their answers, and a part of one.
  await talk.ask([stored.map((path) => get(path)).join('')], ['GET', 'GET', 'GET']);
  await talk.ask([get('middle', 'Range: bytes=3-9\r\n')], ['GET']);
  // A new connection; what decides is different.
  const other = new Talk(fast.url);
  await other.ask([get('a')], ['GET']);
  await other.ask([get('a', 'If-None-Match: "one"\r\n')], ['GET']);
  await other.ask([get('middle', 'Range: bytes=5-6\r\nUser-Agent: x\r\n')], ['GET']);
  expect(other.heard.match(/HTTP\/1\.1 \d+/g)).toEqual([
    'HTTP/1.1 200',
    'HTTP/1.1 304',
    'HTTP/1.1 206',
  ]);
  await talk.end();
  await other.end();
  expect(read).toEqual(['/files/private', '/files/a']);
});

test('what is not stored, and what is refused, is read by it once', async () => {
  const { fast } = await setup();
  const read = readBy(fast.url);
  const talk = new Talk(fast.url);
  const paths = ['a', 'private', 'new', 'middle', 'private', '../x'];
  for (const path of paths) await talk.ask([get(path)], ['GET']);
  await talk.end();
  expect(read).toEqual(paths.map((path) => `/files/${path}`));
  expect(talk.heard.match(/HTTP\/1\.1 \d+/g)).toEqual(
    [200, 200, 404, 200, 200, 400].map((status) => `HTTP/1.1 ${status}`),
  );
});

test('a request is routed by its own fields, whatever a part of it was looked at for', async () => {
  const { fast } = await setup();
  const talk = new Talk(fast.url);
  await talk.ask([get('a')], ['GET']);
  await talk.ask([get('private', 'Range: bytes=0-1\r\nX-Request-Id: 1\r\n')], ['GET']);
  await talk.ask([get('private', 'X-Request-Id: 1\r\n')], ['GET']);
  await talk.end();
  const parts = talk.heard.match(/HTTP\/1\.1 \d+/g);
  expect(parts).toEqual(['HTTP/1.1 200', 'HTTP/1.1 206', 'HTTP/1.1 200']);
});

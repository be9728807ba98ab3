import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ClientResponse } from '../../src/surfaces/client-response.ts';
import { Http2Connections } from '../../src/surfaces/http2-connections.ts';
import { rest } from '../support/tunnel.ts';

type Handle = (request: IncomingMessage, response: ClientResponse) => void;

/** A client of a server that answers so. */
async function served(handle: Handle, stalledMs?: number): Promise<ClientHttp2Session> {
  const connections = new Http2Connections(handle, stalledMs);
  const server = createServer((socket) => connections.take(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(async () => {
    client.destroy();
    await connections.close(0);
    server.close();
  });
  return client;
}

/** The request that a handler sees. */
async function seen(asked: OutgoingHttpHeaders, body?: string): Promise<IncomingMessage> {
  const arrived = Promise.withResolvers<IncomingMessage>();
  const client = await served((request, response) => {
    arrived.resolve(request);
    response.writeHead(204, []);
    response.end();
  });
  const stream = client.request(asked, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  return arrived.promise;
}

describe('a request of HTTP/2 looks like one of HTTP/1.1', () => {
  test('with :authority as its Host', async () => {
    const request = await seen({
      ':path': '/a?b',
      ':authority': 'registry.test',
      'x-y': ['1', '2'],
    });
    expect([request.method, request.url, request.httpVersion]).toEqual(['GET', '/a?b', '2.0']);
    expect(request.rawHeaders).toEqual(['host', 'registry.test', 'x-y', '1', 'x-y', '2']);
    expect(request.headers).toEqual({ host: 'registry.test', 'x-y': '1, 2' });
    expect(request.complete).toBe(true);
  });

  test('with its cookies in one field (RFC 9113 section 8.2.3)', async () => {
    const { rawHeaders } = await seen({ ':authority': 'x', cookie: ['a=1', 'b=2'] });
    expect(rawHeaders).toEqual(['host', 'x', 'cookie', 'a=1; b=2']);
  });

  test('with a Host besides that differs, so that it is refused as two are', async () => {
    const { rawHeaders } = await seen({ ':authority': 'x', host: 'y' });
    expect(rawHeaders).toEqual(['host', 'x', 'host', 'y']);
  });

  test('with a coding that says that there is a body of no known length', async () => {
    const { rawHeaders } = await seen({ ':method': 'PUT', ':authority': 'x' }, 'body');
    expect(rawHeaders).toEqual(['host', 'x', 'transfer-encoding', 'chunked']);
    const known = { ':method': 'PUT', ':authority': 'x', 'content-length': 4 };
    expect((await seen(known, 'body')).rawHeaders).toEqual(['host', 'x', 'content-length', '4']);
  });
});

test('a response has no fields that concern a connection', async () => {
  const client = await served((_request, response) => {
    const fields = [
      'Connection',
      'close',
      'Keep-Alive',
      'timeout=5',
      'Transfer-Encoding',
      'chunked',
    ];
    response.writeHead(200, [...fields, 'X-Y', '1', 'X-Y', '2']);
    response.end('hello');
  });
  const stream = client.request({ ':path': '/' });
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  expect(headers).toMatchObject({ ':status': 200, 'x-y': '1, 2' });
  expect(Object.keys(headers)).not.toContain('connection');
  expect(Object.keys(headers)).not.toContain('transfer-encoding');
  expect((await rest(stream)).toString()).toBe('hello');
});

test('interim responses come before the final one', async () => {
  const client = await served((_request, response) => {
    response.writeInformation?.(103, ['Link', '</a>', 'Link', '</b>']);
    response.writeHead(204, []);
    response.end();
  });
  const stream = client.request({ ':path': '/' });
  const [early] = (await once(stream, 'headers')) as [Record<string, unknown>];
  expect(early).toMatchObject({ ':status': 103, link: '</a>, </b>' });
  await once(stream, 'response');
});

test('a request that is answered before its body has come does not wait for it', async () => {
  const client = await served((_request, response) => {
    response.writeHead(403, []);
    response.end('no');
  });
  const stream = client.request({ ':method': 'PUT', ':path': '/' });
  const closed = once(stream, 'close');
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  expect(headers[':status']).toBe(403);
  expect((await rest(stream)).toString()).toBe('no');
  await closed;
});

test('a tunnel within HTTP/2 is refused', async () => {
  const client = await served(() => {
    throw new Error('nobody is to be asked');
  });
  const stream = client.request({ ':method': 'CONNECT', ':authority': 'example.com:443' });
  await expect(once(stream, 'response')).rejects.toThrow(/REFUSED_STREAM/);
});

describe('a connection on which nothing moves', () => {
  test('is closed', async () => {
    const client = await served(() => undefined, 20);
    await once(client, 'close');
  });

  test('is not while it is the upstream that is slow', async () => {
    let answer = (): void => undefined;
    const client = await served((_request, response) => {
      answer = () => {
        response.writeHead(200, []);
        response.end('late');
      };
    }, 20);
    const stream = client.request({ ':path': '/' });
    const start = performance.now();
    // Some times as long as would be enough.
    while (performance.now() - start < 100) await new Promise((resolve) => setImmediate(resolve));
    answer();
    expect((await rest(stream)).toString()).toBe('late');
  });
});

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ArtifactMeta } from '../../src/core/artifact-meta.ts';
import type { RequestRecord } from '../../src/core/request-record.ts';
import { FastPath } from '../../src/surfaces/fast-path.ts';
import type { Routing } from '../../src/surfaces/gateway-handler.ts';
import { createListener } from '../../src/surfaces/listener.ts';
import { newRecord } from '../../src/surfaces/new-record.ts';
import { Talk } from '../http/safety/talk.ts';
import { FakeClock } from '../support/clock.ts';
import { plainResource } from '../support/plain-resource.ts';
import { until } from '../support/until.ts';

const url = 'http://registry.test/a';

interface StoredHit {
  readonly meta: ArtifactMeta;
  readonly bytes: Uint8Array;
}

/** What is stored at that moment, fresh for a minute. */
function hitAt(now: number, body: string, vary: ArtifactMeta['vary'] = []): StoredHit {
  const bytes = Buffer.from(body);
  const meta: ArtifactMeta = {
    status: 200,
    headers: ['Cache-Control', 'max-age=60', 'ETag', '"one"'],
    vary,
    requestTime: now,
    responseTime: now,
    body: { sha256: 'a'.repeat(64), size: bytes.length },
  };
  return { meta, bytes };
}

/** A listener whose handler answers everything from one stored response, and counts how often. */
async function setup(text = 'hello') {
  const clock = new FakeClock();
  let { meta, bytes } = hitAt(clock.now(), text);
  let stored = { value: [meta] as readonly ArtifactMeta[] | undefined };
  let body: { value: Uint8Array | undefined } = { value: bytes };
  let routing = { mounts: [] } as unknown as Routing;
  const records: RequestRecord[] = [];
  let read = 0;
  /** What came through tunnels, as it was handed over. */
  const tunnelled: Buffer[] = [];
  const fastPath = new FastPath({
    store: {
      turn: 0,
      peek: () => stored.value,
      hold: () => stored,
      peekBody: () => body.value,
      holdBody: () => body,
      countHeld: () => undefined,
      peekReader: () => undefined,
      peekPart: () => undefined,
    },
    // Nothing is at hand but what was learnt, and a fault is the handler's to answer with.
    handler: () => ({
      look: () => {
        throw new Error('a fault');
      },
      atHand: () => undefined,
    }),
    fields: {
      cacheStatus: ({ cacheStatus: { ttl } }) => `test; hit; ttl=${ttl}`,
      proxyStatus: () => '',
      serverTiming: () => undefined,
      via: '1.1 test',
    },
    routing: () => routing,
    now: clock.now,
    telemetry: {
      prepare: (record) => ({
        add: (client) => records.push({ ...record, client }),
      }),
      record: (record) => records.push(record),
    },
  });
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    read += 1;
    const record = newRecord(request, 'mount', clock.now());
    record.outcome = 'hit';
    const headers = [...meta.headers, 'Age', '0', 'Content-Length', String(bytes.length)];
    fastPath.learn({
      request,
      routing,
      resource: plainResource({
        method: request.method ?? '',
        url,
        headers: request.rawHeaders,
        receivedAt: clock.now(),
      }),
      answer: {
        status: 200,
        headers,
        body: { kind: 'bytes', bytes },
        stored: { meta, body: meta.body },
      },
      record,
    });
    response.writeHead(200, headers);
    response.end(bytes);
  };
  const server = createListener(
    { handle, upgrade: (_request, socket) => void socket.destroy() },
    {
      connect(_request, socket) {
        socket.on('data', (piece: Buffer) => tunnelled.push(piece));
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
      },
    },
    () => undefined,
    { fastPath },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const talk = new Talk(base);
  const get = (fields = 'Accept: */*\r\n') =>
    talk.ask([`GET /files/a HTTP/1.1\r\nHost: x\r\n${fields}\r\n`], ['GET']);
  // With the first hit it begins to listen.
  await get();
  await get();
  const before = talk.heard.length;
  read = 0;
  records.length = 0;
  return {
    base,
    clock,
    records,
    /** How many requests came to the handler. */
    read: () => read,
    tunnelled: () => Buffer.concat(tunnelled).toString(),
    talk,
    get,
    heard: () => talk.heard.slice(before),
    replace(next: string, vary: ArtifactMeta['vary'] = []) {
      ({ meta, bytes } = hitAt(clock.now(), next, vary));
      stored.value = undefined;
      stored = { value: [meta] };
      body = { value: bytes };
    },
    evictBody() {
      body.value = undefined;
    },
    reload() {
      routing = { ...routing };
    },
  };
}

describe('what was answered from memory', () => {
  test('is answered again without being read, whatever the fields that decide nothing', async () => {
    const { get, read, heard } = await setup();
    await get('npm-session: 1\r\n');
    await get('npm-session: 2\r\n');
    await get('npm-session: 3\r\nConnection: keep-alive\r\n');
    expect(read()).toBe(1);
    expect(heard().match(/hello/g)).toHaveLength(3);
  });

  test('says its age anew each second', async () => {
    const { get, read, clock, heard } = await setup();
    for (const pause of [0, 400, 400, 400]) {
      clock.advance(pause);
      await get();
    }
    expect(read()).toBe(0);
    expect(heard().match(/Age: \d+/g)).toEqual(['Age: 0', 'Age: 0', 'Age: 0', 'Age: 1']);
    expect(heard().match(/ttl=\d+/g)).toEqual(['ttl=60', 'ttl=60', 'ttl=60', 'ttl=59']);
  });

  test('is recorded, with its client and its bytes', async () => {
    const { get, records } = await setup();
    await get();
    await until(() => records.length === 1);
    expect(records[0]).toMatchObject({
      client: '127.0.0.1',
      outcome: 'hit',
      status: 200,
      bytesOut: 5,
      target: '/files/a',
    });
  });

  test.each<[string, (parts: Awaited<ReturnType<typeof setup>>) => void]>([
    ['stale', ({ clock }) => clock.advance(60_000)],
    ['replaced', ({ replace }) => replace('other')],
    ['out of memory', ({ evictBody }) => evictBody()],
    ['under another configuration', ({ reload }) => reload()],
  ])('is read again once it is %s', async (_what, change) => {
    const parts = await setup();
    await parts.get();
    expect(parts.read()).toBe(0);
    change(parts);
    await parts.get();
    expect(parts.read()).toBe(1);
  });

  test.each<[string, string]>([
    ['Accept differs', 'Accept: text/plain\r\n'],
    ['the client shows credentials', 'Accept: */*\r\nAuthorization: Basic eA==\r\n'],
    ['several ranges are asked for', 'Accept: */*\r\nRange: bytes=0-1,3-4\r\n'],
    ['no byte of the range is there', 'Accept: */*\r\nRange: bytes=5-\r\n'],
    [
      'a range is asked for on a condition',
      'Accept: */*\r\nRange: bytes=0-1\r\nIf-Range: "one"\r\n',
    ],
    ['an unknown field is there', 'Accept: */*\r\nX-New: 1\r\n'],
    ['it is the last of its connection', 'Accept: */*\r\nConnection: close\r\n'],
  ])('is read where %s', async (_what, fields) => {
    const { get, read } = await setup();
    await get();
    expect(read()).toBe(0);
    await get(fields);
    expect(read()).toBe(1);
  });

  test('is read where the response was chosen by a field that is passed over elsewhere', async () => {
    const { get, read, replace } = await setup();
    replace('mine', [['npm-session', '1']]);
    await get('npm-session: 1\r\n');
    await get('npm-session: 1\r\n');
    expect(read()).toBe(2);
  });
});

test('of each connection the first request is read, and none of those like it', async () => {
  const { base, read } = await setup();
  for (let i = 1; i <= 3; i += 1) {
    const talk = new Talk(base);
    const get = () =>
      talk.ask(['GET /files/a HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n'], ['GET']);
    await get();
    await get();
    await get();
    await talk.end();
    expect(read()).toBe(i);
  }
});

test('what comes through a tunnel stays what it is while other connections are read', async () => {
  const { talk, base, tunnelled } = await setup();
  await talk.ask(['CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n'], ['CONNECT']);
  await talk.ask(['0123456789'], []);
  await until(() => tunnelled().length === 10, 'what was said');
  const other = new Talk(base);
  for (let i = 0; i < 4; i += 1) {
    await other.ask(['GET /files/a HTTP/1.1\r\nHost: x\r\n\r\n'], ['GET']);
  }
  await other.end();
  expect(tunnelled()).toBe('0123456789');
  talk.close();
});

test('requests ahead of their answers are answered in order, and a flood of them is bounded', async () => {
  const { base, read, records } = await setup('x'.repeat(200_000));
  const socket = connect(Number(new URL(base).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const request = 'GET /files/a HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n';
  let received = 0;
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  for (const times of [1, 2]) {
    socket.write(request);
    await until(() => received > times * 200_000);
  }
  socket.pause();
  socket.write(request.repeat(200));
  // Nobody takes them: a few megabytes fit into the buffers of two sockets, 40 do not.
  await until(() => records.length > 1);
  let taken = 0;
  for (let turns = 0; turns < 50; turns += taken === records.length ? 1 : 0) {
    taken = records.length;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(taken).toBeLessThan(150);
  socket.resume();
  await until(() => records.length === 201 && received > 202 * 200_000);
  expect(read()).toBe(1);
});

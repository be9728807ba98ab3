import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import {
  bodyPath,
  bytesAt,
  etagOf,
  generatedBody,
} from '../../loadtest/fixtures/generated-body.ts';
import { alternate } from '../../loadtest/load/alternate.ts';
import { downloads } from '../../loadtest/load/downloads.ts';
import { rate } from '../../loadtest/load/rate.ts';
import { Ledger } from '../../loadtest/origin/ledger.ts';
import { createOrigin } from '../../loadtest/origin/server.ts';

const size = 5000;

async function origin(): Promise<{ base: string; ledger: Ledger }> {
  const ledger = new Ledger();
  return { base: await listen(createOrigin(ledger)), ledger };
}

async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that says these bytes to every request. */
function server(response: Buffer): Promise<string> {
  return listen(createServer((socket) => socket.on('data', () => socket.end(response))));
}

function responseWith(change: (body: Buffer) => Buffer, name: string): Buffer {
  const body = change(Buffer.from(bytesAt(generatedBody(name, size), 0, size)));
  return Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`), body]);
}

test('what the origin serves is right, and each request is counted', async () => {
  const { base, ledger } = await origin();
  const paths = [bodyPath('one', size), bodyPath('two', size), bodyPath('one', size)];
  const { targets } = await alternate({ targets: [{ base, paths }] });
  expect(targets[0]?.problems).toEqual([]);
  expect(targets[0]?.times).toHaveLength(3);
  expect(ledger.take(paths.slice(0, 2))).toMatchObject([
    { requests: 2, bodyBytes: 2 * size },
    { requests: 1, bodyBytes: size },
  ]);
});

test('a wrong byte is a problem for every kind of load', async () => {
  const flip = (body: Buffer): Buffer => {
    body[size - 1] = (body[size - 1] ?? 0) ^ 1;
    return body;
  };
  const path = bodyPath('flipped', size);
  const base = await server(responseWith(flip, 'flipped'));
  const wrong = [expect.stringContaining('wrong bytes')];
  expect((await rate({ base, shots: [{ path }], connections: 1 })).problems).toEqual(wrong);
  expect((await alternate({ targets: [{ base, paths: [path] }] })).targets[0]?.problems).toEqual(
    wrong,
  );
  const { downloads: done } = await downloads({ base, paths: [path] });
  expect(done.map(({ problem }) => problem)).toEqual(wrong);
});

test('a body that is cut off is a problem', async () => {
  const path = bodyPath('short', size);
  const base = await server(responseWith((body) => body.subarray(0, 100), 'short'));
  const { downloads: done } = await downloads({ base, paths: [path] });
  expect(done[0]).toMatchObject({ bytes: 100, problem: expect.stringContaining('in the middle') });
});

test('another status than 200 is a problem', async () => {
  const path = bodyPath('refused', size);
  const base = await server(Buffer.from('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n'));
  const { targets } = await alternate({ targets: [{ base, paths: [path] }] });
  expect(targets[0]?.problems).toEqual(['status 502']);
});

test('clients that leave at their limit have what they have, and no problem', async () => {
  const { base } = await origin();
  const path = bodyPath('endless', 10_000_000, 1_000);
  const { downloads: done } = await downloads({ base, paths: [path, path], limitMs: 50 });
  expect(done.map(({ problem }) => problem)).toEqual([undefined, undefined]);
  expect(done.every(({ bytes }) => bytes < 10_000_000)).toBe(true);
});

test('parts and 304s are right when they are what was asked for', async () => {
  const { base } = await origin();
  const path = bodyPath('some', size);
  const part = { path, status: 206, range: [100, 299] } as const;
  const known = { path, status: 304, fields: `If-None-Match: ${etagOf(path)}\r\n` } as const;
  const shots = [{ ...part, fields: 'Range: bytes=100-299\r\n' }, known];
  expect(await rate({ base, shots, connections: 1 })).toMatchObject({
    requests: 2,
    bytes: 200,
    problems: [],
  });
  const other = { ...part, fields: 'Range: bytes=101-300\r\n' };
  expect((await rate({ base, shots: [other], connections: 1 })).problems).toEqual([
    expect.stringContaining('wrong bytes'),
  ]);
  expect(
    (await rate({ base, shots: [{ ...known, fields: '' }], connections: 1 })).problems,
  ).toEqual(['status 200']);
});

test('each of an order is asked for once, on all connections together', async () => {
  const { base, ledger } = await origin();
  const paths = [bodyPath('one', 10), bodyPath('two', 10)];
  const shots = paths.map((path) => ({ path }));
  const order = Uint32Array.from([1, 0, 1, 1]);
  expect(await rate({ base, shots, order, connections: 3 })).toMatchObject({ requests: 4 });
  expect(ledger.take(paths).map(({ requests }) => requests)).toEqual([1, 3]);
});

test('requests at a fixed rate are as many as fell due, and a late answer is late since then', async () => {
  const { base, ledger } = await origin();
  const path = bodyPath('some', 10);
  const shots = [{ path }];
  const job = { base, shots, connections: 4, ms: 100, perSecond: 500 };
  expect(await rate(job)).toMatchObject({ requests: 50, problems: [] });
  // Each connection has had an answer before.
  expect(ledger.take([path])).toMatchObject([{ requests: 54 }]);
  // Each answer takes 50 ms on the one connection: the tenth was due long before it was sent.
  const slow = await listen(createOrigin(new Ledger(), { latencyMs: 50 }));
  const late = await rate({ ...job, base: slow, connections: 1, ms: 200, perSecond: 50 });
  expect(late.p99).toBeGreaterThan(150);
  expect(late).toMatchObject({ requests: 10, late: 100 });
});

test('a load that stands still says so, and that requests were late', async () => {
  const { base } = await origin();
  const job = { base, shots: [{ path: bodyPath('some', 10) }], connections: 4, ms: 200 };
  const measured = rate({ ...job, perSecond: 500 });
  const blocked = setTimeout(() => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60);
  }, 50);
  const { ms, stalled, late } = await measured;
  clearTimeout(blocked);
  expect((stalled * ms) / 100).toBeGreaterThanOrEqual(59);
  // Nearly thirty of a hundred fell due meanwhile.
  expect(late).toBeGreaterThan(20);
  expect(await rate(job)).toMatchObject({ stalled: 0, problems: [] });
});

test('a server that refuses connections is a problem', async () => {
  const closed = createServer();
  const base = await listen(closed);
  closed.close();
  const { problems } = await rate({ base, shots: [{ path: bodyPath('x', 1) }], connections: 2 });
  expect(problems).toEqual([expect.stringContaining('ECONNREFUSED')]);
});

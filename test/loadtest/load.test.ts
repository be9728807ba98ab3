import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { bodyPath, bytesAt, generatedBody } from '../../loadtest/fixtures/generated-body.ts';
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
  expect((await rate({ base, path, connections: 1, ms: 0 })).problems).toEqual(wrong);
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

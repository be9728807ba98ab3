import { readdir, stat, truncate } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type TestGateway, testGateway } from '../../support/gateway.ts';
import { generatedBytes } from '../../support/generated-bytes.ts';
import { httpOrigin } from '../../support/http-origin.ts';
import { untilSettled } from '../../support/settled.ts';
import { until } from '../../support/until.ts';
import { requestLines } from './two-gateways.ts';

/** More than the buffers of two sockets take: whoever does not read holds it up. */
const size = 16 * 1024 * 1024;
const body = generatedBytes('large', 0, size);
const request = (path = '/large', fields = '') =>
  `GET /files${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`;

describe.each([
  ['the fast path', true],
  ['the ordinary path', false],
])('of bodies in files, by %s,', (_path, fastPath) => {
  async function setup() {
    const origin = await httpOrigin();
    origin.serve('/large', { body, headers: { 'Cache-Control': 'max-age=3600' } });
    const gateway = await testGateway({
      config: { fastPath, shutdownGrace: 8_000 },
      mounts: [{ path: '/files', url: origin.url }],
    });
    const client = await readyClient(gateway);
    return { origin, gateway, client };
  }

  test('two that are asked for ahead come whole and in order', async () => {
    const { gateway, client } = await setup();
    client.send(request() + request('/large', 'Range: bytes=5-20\r\n') + request());
    const [first, second, third] = [
      await client.answer(),
      await client.answer(),
      await client.answer(),
    ];
    expect(first.body.equals(body)).toBe(true);
    expect(second.head).toContain('HTTP/1.1 206 Partial Content');
    expect(second.body.equals(body.subarray(5, 21))).toBe(true);
    expect(third.body.equals(body)).toBe(true);
    expect((await repeated(gateway)) > 0).toBe(fastPath);
  });

  test('who does not read holds up neither others nor more than a few buffers', async () => {
    const { gateway, client } = await setup();
    client.socket.pause();
    client.send(request().repeat(6));
    const other = await readyClient(gateway);
    other.send(request());
    expect((await other.answer()).body.equals(body)).toBe(true);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 20; i += 1) {
      const idle = connect(Number(new URL(gateway.url).port), '127.0.0.1');
      onTestFinished(() => void idle.destroy());
      idle.pause();
      idle.write(request().repeat(5));
    }
    await until(() => requestLines(gateway).length >= 7);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 * size);
    client.socket.resume();
    for (let i = 0; i < 6; i += 1) {
      expect((await client.answer()).body.length).toBe(size);
    }
  });

  test('who leaves in the middle is recorded as gone, with the bytes that were sent', async () => {
    const { gateway, client } = await setup();
    client.send(request());
    await client.began();
    client.socket.resetAndDestroy();
    const broken = () => brokenLine(gateway);
    await until(() => broken() !== undefined, 'a line that says so');
    const line = broken();
    expect(line).toMatchObject({ outcome: 'hit', status: 200, aborted: true });
    expect(line?.bytesOut).toBeGreaterThan(100_000);
    expect(line?.bytesOut).toBeLessThan(size);
  });

  test('one that is forgotten while it is sent is sent to its end, and fetched anew', async () => {
    const { origin, gateway, client } = await setup();
    client.send(request());
    await client.began();
    client.socket.pause();
    await gateway.admin(`/api/entries?prefix=${encodeURIComponent(origin.url)}`, 'DELETE');
    const next = generatedBytes('next', 0, 300_000);
    origin.serve('/large', { body: next, headers: { 'Cache-Control': 'max-age=3600' } });
    client.socket.resume();
    expect((await client.answer()).body.equals(body)).toBe(true);
    client.send(request());
    expect((await client.answer()).body.equals(next)).toBe(true);
  });

  test('one that turns out to be short ends with its connection, and is fetched anew', async () => {
    const { gateway, client } = await setup();
    const other = await readyClient(gateway);
    await cutFile(gateway, size, size / 2);
    client.send(request());
    await until(() => client.socket.closed, 'the connection to break');
    const broken = () => brokenLine(gateway);
    await until(() => broken() !== undefined, 'a line that says so');
    expect(broken()).toMatchObject({ status: 200, error: 'stored_body_missing' });
    expect(broken()?.bytesOut).toBeGreaterThan(0);
    expect(broken()?.bytesOut).toBeLessThanOrEqual(size / 2);
    other.send(request());
    expect((await other.answer()).body.equals(body)).toBe(true);
  });

  test('a shutdown waits for one that is being sent', async () => {
    const { gateway, client } = await setup();
    client.send(request());
    await client.began();
    client.socket.pause();
    const closed = gateway.close();
    await new Promise((resolve) => setImmediate(resolve));
    client.socket.resume();
    expect((await client.answer()).body.equals(body)).toBe(true);
    await closed;
    await until(() => client.socket.closed);
  });

  test('one that is asked for again and again comes from memory, whole and in ranges', async () => {
    const { origin, gateway, client } = await setup();
    const hot = generatedBytes('hot', 0, 3_500_000);
    origin.serve('/hot', { body: hot, headers: { 'Cache-Control': 'max-age=3600' } });
    for (let i = 0; i < 8; i += 1) {
      client.send(request('/hot'));
      expect((await client.answer()).body.equals(hot)).toBe(true);
      await untilSettled(gateway);
    }
    await cutFile(gateway, hot.length, 0);
    client.send(request('/hot'));
    expect((await client.answer()).body.equals(hot)).toBe(true);
    for (const [first, last] of [
      [0, 0],
      [600_000, 665_535],
      [520_000, 530_000],
      [1, 3_499_998],
    ] as const) {
      client.send(request('/hot', `Range: bytes=${first}-${last}\r\n`));
      const { head, body: part } = await client.answer();
      expect(head).toContain(`Content-Range: bytes ${first}-${last}/3500000\r\n`);
      expect(part.equals(hot.subarray(first, last + 1))).toBe(true);
    }
    expect(origin.requests.filter(({ target }) => target === '/hot')).toHaveLength(1);
    await gateway.admin(`/api/entries?prefix=${encodeURIComponent(origin.url)}`, 'DELETE');
    const next = generatedBytes('next', 0, 300_000);
    origin.serve('/hot', { body: next, headers: { 'Cache-Control': 'max-age=3600' } });
    client.send(request('/hot'));
    expect((await client.answer()).body.equals(next)).toBe(true);
  });

  test('HEAD has the head alone', async () => {
    const { client } = await setup();
    const head = request().replace('GET', 'HEAD');
    for (let i = 0; i < 3; i += 1) {
      client.send(head);
      const { head: fields, body: none } = await client.answer('HEAD');
      expect(fields).toContain(`Content-Length: ${size}`);
      expect(none).toHaveLength(0);
    }
  });
});

/** A connection on which the large body was answered so often that it is answered by the fast path. */
async function readyClient(gateway: TestGateway): Promise<RawClient> {
  const client = new RawClient(gateway.url);
  for (let i = 0; i < 3; i += 1) {
    client.send(request());
    await client.answer();
    // What is stored behind the answer is there for the next request.
    await untilSettled(gateway);
  }
  return client;
}

/** Takes away the end of the stored file that has this size. */
async function cutFile({ config }: TestGateway, from: number, to: number): Promise<void> {
  for (const file of await readdir(config.data, { recursive: true, withFileTypes: true })) {
    const path = join(file.parentPath, file.name);
    if (file.isFile() && (await stat(path)).size === from) await truncate(path, to);
  }
}

/** The log's line on a request that did not come to its end. */
function brokenLine(gateway: TestGateway): Record<string, unknown> | undefined {
  const lines = requestLines(gateway) as Record<string, unknown>[];
  return lines.find(({ aborted }) => aborted === true);
}

async function repeated({ client, adminUrl }: TestGateway): Promise<number> {
  const metrics = await client.send(`${adminUrl}/metrics`);
  return Number(/\{cache="prepared",result="hit"\} (\d+)/.exec(metrics.body.toString())?.[1] ?? 0);
}

/** Reads answers that have a length, one after the other. */
class RawClient {
  readonly socket: Socket;
  #chunks: Buffer[] = [];
  #length = 0;

  constructor(url: string) {
    this.socket = connect(Number(new URL(url).port), '127.0.0.1');
    this.socket.on('data', (chunk: Buffer) => {
      this.#length += chunk.length;
      this.#chunks.push(chunk);
    });
    this.socket.on('error', () => this.socket.destroy());
    onTestFinished(() => void this.socket.destroy());
  }

  send(text: string): void {
    this.socket.write(text);
  }

  /** Resolves when some of an answer is here, and not all. */
  async began(): Promise<void> {
    await until(() => this.#length > 100_000, 'the beginning of an answer');
  }

  async answer(method = 'GET'): Promise<{ head: string; body: Buffer }> {
    let [end, length] = [-1, 0];
    await until(() => {
      if (end === -1 && this.#length > 0) {
        const start = this.#joined();
        end = start.indexOf('\r\n\r\n');
        const said = /^content-length: (\d+)$/im.exec(start.toString('latin1', 0, end));
        length = end === -1 ? 0 : end + 4 + (method === 'HEAD' ? 0 : Number(said?.[1]));
      }
      return this.socket.closed || (end !== -1 && this.#length >= length);
    }, 'a whole answer');
    const all = this.#joined();
    this.#chunks = [all.subarray(length)];
    this.#length = all.length - length;
    return { head: all.toString('latin1', 0, end), body: all.subarray(end + 4, length) };
  }

  #joined(): Buffer {
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }
}

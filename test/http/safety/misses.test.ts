import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { testGateway } from '../../support/gateway.ts';
import { generatedBytes } from '../../support/generated-bytes.ts';
import { httpOrigin } from '../../support/http-origin.ts';
import { untilSettled } from '../../support/settled.ts';
import { until } from '../../support/until.ts';
import { Talk } from './talk.ts';
import { requestLines } from './two-gateways.ts';

const hour = { 'Cache-Control': 'max-age=3600' };
/** More than the buffers of two sockets take. */
const size = 16 * 1024 * 1024;

const request = (path: string, method = 'GET', fields = '') =>
  `${method} /files/${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`;

describe.each([
  ['the fast path', true],
  ['the ordinary path', false],
])('among hits, by %s,', (_path, fastPath) => {
  async function setup() {
    const origin = await httpOrigin();
    for (const name of ['one', 'two', 'slow', 'new', 'newer']) {
      origin.serve(`/${name}`, { body: `the ${name}`, headers: hour });
    }
    const large = generatedBytes('large', 0, size);
    origin.serve('/large', { body: large, headers: { 'Cache-Control': 'no-store' } });
    const gateway = await testGateway({
      config: { fastPath, shutdownGrace: 8_000 },
      mounts: [{ path: '/files', url: origin.url }],
    });
    const talk = new Talk(gateway.url);
    for (const name of ['one', 'two', 'one']) await talk.ask([request(name)], ['GET']);
    await untilSettled(gateway);
    return { origin, gateway, talk };
  }

  /** Holds the answer of the origin back until it is let go. */
  function held(origin: Awaited<ReturnType<typeof httpOrigin>>, path: string) {
    const answer = origin.handlerOf(path);
    const { promise, resolve } = Promise.withResolvers<void>();
    let asked = false;
    origin.handle(path, async (asking, response) => {
      asked = true;
      await promise;
      return answer?.(asking, response);
    });
    return { letGo: resolve, asked: () => asked };
  }

  const ahead = ['one', 'slow', 'two', 'new', 'one'].map((name) => request(name));
  test.each<[string, readonly string[]]>([
    ['comes with it', [ahead.join('')]],
    ['comes after it', ahead],
    ['comes half', [ahead.join('').slice(0, 130), ahead.join('').slice(130)]],
  ])('a slow miss is answered in its turn where what is behind it %s', async (_how, pieces) => {
    const { origin, talk } = await setup();
    const slow = held(origin, '/slow');
    const before = talk.heard.length;
    const answers = talk.ask(
      pieces,
      ahead.map(() => 'GET'),
    );
    await until(slow.asked, 'the slow one to be asked for');
    // What is behind it is known and has come.
    for (let turn = 0; turn < 20; turn += 1) await new Promise((next) => setImmediate(next));
    expect(talk.heard.slice(before)).not.toContain('the two');
    slow.letGo();
    await answers;
    const told = talk.heard.slice(before).match(/the \w+?(?=HTTP|$)/gm);
    expect(told).toEqual(['the one', 'the slow', 'the two', 'the new', 'the one']);
  });

  test('who leaves while a miss is fetched is recorded as gone, once', async () => {
    const { origin, gateway, talk } = await setup();
    const slow = held(origin, '/slow');
    void talk.ask([request('one'), request('slow')], ['GET', 'GET']);
    await until(slow.asked, 'the slow one to be asked for');
    talk.close();
    const lines = () => requestLines(gateway).slice(3) as Record<string, unknown>[];
    await until(() => lines().length === 2, 'both to be recorded');
    slow.letGo();
    expect(lines()[1]).toMatchObject({ target: '/files/slow', aborted: true, bytesOut: 0 });
    // The fetch was not for that one alone.
    const other = new Talk(gateway.url);
    await other.ask([request('slow')], ['GET']);
    expect(other.heard).toContain('the slow');
    await other.end();
  });

  test('who does not read a large miss holds up nobody, and hears the rest in order', async () => {
    const { gateway } = await setup();
    const idle = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    onTestFinished(() => void idle.destroy());
    let received = 0;
    let last = '';
    idle.on('data', (chunk: Buffer) => {
      received += chunk.length;
      last = `${last}${chunk.toString('latin1')}`.slice(-400);
    });
    idle.write(request('one'));
    await until(() => last.endsWith('the one'), 'the first answer');
    idle.pause();
    idle.write(request('large'));
    idle.write(request('two'));
    const other = new Talk(gateway.url);
    await other.ask([request('new')], ['GET']);
    await other.ask([request('one')], ['GET']);
    await other.end();
    const of = (target: string) =>
      requestLines(gateway).some((line) => (line as { target: string }).target === target);
    expect(of('/files/large')).toBe(false);
    idle.resume();
    await until(() => last.endsWith('the two'), 'the last answer');
    expect(received).toBeGreaterThan(size);
  });

  test('HEAD of a miss has no body, and close ends the connection behind one', async () => {
    const { talk } = await setup();
    await talk.ask([request('new', 'HEAD')], ['HEAD']);
    await talk.ask([request('one')], ['GET']);
    await talk.ask([request('newer', 'GET', 'Connection: close\r\n')], ['GET']);
    await until(() => !talk.open, 'the connection to close');
    expect(talk.heard).toContain('Content-Length: 7\r\n');
    expect(talk.heard.endsWith('the newer')).toBe(true);
    expect(talk.heard).not.toContain('the new\r\n');
    expect(talk.heard.match(/HTTP\/1\.1 200/g)).toHaveLength(6);
  });

  test('a shutdown waits for a miss that is fetched', async () => {
    const { origin, gateway, talk } = await setup();
    const slow = held(origin, '/slow');
    const answers = talk.ask([request('one'), request('slow')], ['GET', 'GET']);
    await until(slow.asked, 'the slow one to be asked for');
    const closed = gateway.close();
    await new Promise((resolve) => setImmediate(resolve));
    slow.letGo();
    await answers;
    expect(talk.heard.endsWith('the slow')).toBe(true);
    await closed;
  });
});

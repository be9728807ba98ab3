import { type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { AdminDebug, denyFromAfar, type Profiler } from '../../src/surfaces/admin-debug.ts';
import { expectNoLeaks } from '../support/leaks.ts';
import { until } from '../support/until.ts';
import { type AdminSide, startAdmin } from './admin-side.ts';

/** Profiles that are none, waits that the test ends, and what was done. */
class FakeProfiler implements Profiler {
  readonly waits: { readonly ms: number; readonly end: () => void }[] = [];
  running = 0;
  started = 0;

  async startCpuProfile() {
    this.running += 1;
    this.started += 1;
    return {
      stop: async () => {
        this.running -= 1;
        return { nodes: [], samples: [] };
      },
    };
  }

  async heapSnapshot(): Promise<Readable> {
    return Readable.from(['{"snapshot":', '{}}']);
  }

  wait = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((end, reject) => {
      this.waits.push({ ms, end });
      signal.addEventListener('abort', () => reject(signal.reason));
    });
}

async function start(token?: string): Promise<{ admin: AdminSide; profiler: FakeProfiler }> {
  const profiler = new FakeProfiler();
  const debug = new AdminDebug({ profiler, wait: profiler.wait });
  return { admin: await startAdmin({}, token, undefined, undefined, debug), profiler };
}

test('a CPU profile runs for the seconds that were asked for, and comes as a file', async () => {
  expectNoLeaks();
  const { admin, profiler } = await start();
  const answer = admin.ask('/debug/cpu-profile?seconds=3');
  await until(() => profiler.waits.length === 1, 'the profile runs');
  expect(profiler).toMatchObject({ running: 1, waits: [{ ms: 3000 }] });
  profiler.waits[0]?.end();
  const { status, headers, json } = await answer;
  expect(status).toBe(200);
  expect(headers['content-disposition']).toBe('attachment; filename="millrace.cpuprofile"');
  expect(json()).toEqual({ nodes: [], samples: [] });
  expect(profiler.running).toBe(0);
});

test('without seconds a CPU profile takes ten', async () => {
  const { admin, profiler } = await start();
  const answer = admin.ask('/debug/cpu-profile');
  await until(() => profiler.waits.length === 1, 'the profile runs');
  expect(profiler.waits[0]?.ms).toBe(10_000);
  profiler.waits[0]?.end();
  await answer;
});

test.each([
  'seconds=0',
  'seconds=61',
  'seconds=1.5',
  'seconds=',
  'minutes=1',
  'seconds=1&seconds=2',
])('a CPU profile of %s is refused with what would do', async (query) => {
  const { admin, profiler } = await start();
  const { status, body } = await admin.ask(`/debug/cpu-profile?${query}`);
  expect(status).toBe(400);
  expect(body).toContain('seconds=<1 to 60>');
  expect(profiler.started).toBe(0);
});

test('one profile at a time: the second is refused until the first is done', async () => {
  const { admin, profiler } = await start();
  const first = admin.ask('/debug/cpu-profile');
  await until(() => profiler.waits.length === 1, 'the profile runs');
  expect((await admin.ask('/debug/cpu-profile')).status).toBe(409);
  expect((await admin.ask('/debug/heap-snapshot')).status).toBe(409);
  profiler.waits[0]?.end();
  await first;
  expect((await admin.ask('/debug/heap-snapshot')).status).toBe(200);
});

test('a client that leaves ends its profile, and the next may begin', async () => {
  expectNoLeaks();
  const { admin, profiler } = await start();
  const leaving = request({ port: admin.port, host: '127.0.0.1', path: '/debug/cpu-profile' });
  leaving.on('error', () => undefined);
  leaving.end();
  await until(() => profiler.waits.length === 1, 'the profile runs');
  leaving.destroy();
  await until(() => profiler.running === 0, 'the profile has ended');
  expect((await admin.ask('/debug/heap-snapshot')).status).toBe(200);
  expect(admin.log.text).toBe('');
});

test('a heap snapshot is streamed as a file', async () => {
  const { admin } = await start();
  const { status, headers, body } = await admin.ask('/debug/heap-snapshot');
  expect(status).toBe(200);
  expect(headers['content-disposition']).toBe('attachment; filename="millrace.heapsnapshot"');
  expect(headers['cache-control']).toBe('no-store');
  expect(body).toBe('{"snapshot":{}}');
});

test.each(['/debug/cpu-profile', '/debug/heap-snapshot'])('%s is off unless set', async (path) => {
  const admin = await startAdmin();
  const { status, body } = await admin.ask(path);
  expect(status).toBe(404);
  expect(body).toContain('set admin.debug to true');
});

test('a request that came through a proxy gets no profile, nor one under a foreign name', async () => {
  const { admin, profiler } = await start();
  const refused: readonly Record<string, string>[] = [
    { 'X-Forwarded-For': '192.0.2.1' },
    { Forwarded: 'for=192.0.2.1' },
    { Via: '1.1 proxy' },
    { Host: 'rebound.example.com' },
  ];
  for (const headers of refused) {
    expect((await admin.ask('/debug/cpu-profile', { headers })).status).toBe(403);
  }
  expect(profiler.started).toBe(0);
});

test('with a token set a profile wants it', async () => {
  const { admin } = await start('secret-token');
  expect((await admin.ask('/debug/heap-snapshot')).status).toBe(401);
  const headers = { Authorization: 'Bearer secret-token' };
  expect((await admin.ask('/debug/heap-snapshot', { headers })).status).toBe(200);
});

test.each([
  ['127.0.0.1', true],
  ['127.8.9.10', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['::ffff:192.0.2.1', false],
  ['192.0.2.1', false],
  ['10.0.0.1', false],
  ['fe80::1', false],
  ['', false],
])('of a client at "%s": near is %s', (remoteAddress, near) => {
  const socket = { remoteAddress } as IncomingMessage['socket'];
  expect(denyFromAfar({ socket, headers: {} }) === undefined).toBe(near);
});

import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import type { Every } from '../../src/core/every.ts';
import type { FillsFigures } from '../../src/core/fill-figures.ts';
import { expectNoLeaks } from '../support/leaks.ts';
import { until } from '../support/until.ts';
import { startAdmin } from './admin-side.ts';

const none: FillsFigures = { active: 0, fills: [] };

/** Timers that run when the test says so. */
class ManualTimers {
  readonly running = new Set<() => void>();
  readonly periods: number[] = [];

  readonly every: Every = (milliseconds, run) => {
    this.periods.push(milliseconds);
    this.running.add(run);
    return () => this.running.delete(run);
  };

  tick(): void {
    for (const run of this.running) run();
  }
}

async function setup(fills: () => FillsFigures = () => none, token?: string) {
  expectNoLeaks();
  const timers = new ManualTimers();
  const admin = await startAdmin({ fills }, token, undefined, timers.every);
  return { timers, admin, listen: () => listen(admin.port) };
}

/** A listener that reads what comes. */
async function listen(port: number) {
  const sent = await ask(port);
  const listener = { ...sent, text: '', ended: false };
  sent.message.on('data', (chunk: Buffer) => {
    listener.text += chunk;
  });
  sent.message.on('end', () => {
    listener.ended = true;
  });
  return listener;
}

async function ask(
  port: number,
): Promise<{ message: IncomingMessage; outgoing: ClientRequest; closed: () => boolean }> {
  const outgoing = request({ port, host: '127.0.0.1', path: '/api/fills/stream', agent: false });
  outgoing.on('error', () => outgoing.destroy());
  onTestFinished(() => void outgoing.destroy());
  const message = await new Promise<IncomingMessage>((resolve) => {
    outgoing.on('response', resolve).end();
  });
  let closed = false;
  message.on('error', () => message.destroy());
  message.on('close', () => {
    closed = true;
  });
  return { message, outgoing, closed: () => closed };
}

const events = (text: string) => text.split('\n\n').slice(0, -1);

test('a listener gets the figures at once and then once a second', async () => {
  let active = 0;
  const { timers, listen } = await setup(() => ({ active: ++active, fills: [] }));
  const listener = await listen();
  expect(listener.message.headers).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
  });
  await until(() => events(listener.text).length === 1);
  expect(timers.periods).toEqual([1000]);
  timers.tick();
  await until(() => events(listener.text).length === 2);
  expect(events(listener.text)).toEqual([
    'retry: 3000\nevent: fills\ndata: {"active":1,"fills":[]}',
    'event: fills\ndata: {"active":2,"fills":[]}',
  ]);
});

test('all listeners share one timer and one look at the figures; without listeners there is neither', async () => {
  let looked = 0;
  const { timers, listen } = await setup(() => {
    looked += 1;
    return none;
  });
  expect(timers.running.size).toBe(0);
  const one = await listen();
  const other = await listen();
  await until(() => events(one.text).length + events(other.text).length === 2);
  expect(timers.running.size).toBe(1);
  looked = 0;
  timers.tick();
  await until(() => events(one.text).length + events(other.text).length === 4);
  expect(looked).toBe(1);
  one.outgoing.destroy();
  other.outgoing.destroy();
  await until(() => timers.running.size === 0, 'the timer ends with the last listener');
  const again = await listen();
  await until(() => events(again.text).length === 1);
  expect(timers.running.size).toBe(1);
});

test('a listener that does not read is cut off, and nothing is kept for it', async () => {
  const large: FillsFigures = { ...none, ...{ filler: 'x'.repeat(32 * 2 ** 20) } };
  let figures = none;
  const { timers, admin, listen } = await setup(() => figures);
  const reading = await listen();
  const stuck = await ask(admin.port);
  stuck.message.pause();
  figures = large;
  timers.tick();
  await until(() => events(reading.text).length === 2);
  figures = none;
  timers.tick();
  await until(() => events(reading.text).length === 3);
  stuck.message.resume();
  await until(stuck.closed, 'the slow one is gone');
  expect(stuck.message.complete).toBe(false);
  expect(reading.closed()).toBe(false);
});

test('listeners are bounded: one more is a 503 until another one leaves', async () => {
  const { admin, listen } = await setup();
  const listeners = [];
  for (let i = 0; i < 16; i++) listeners.push(await listen());
  const refused = await admin.ask('/api/fills/stream');
  expect(refused.status).toBe(503);
  expect(refused.headers['retry-after']).toBe('10');
  expect(refused.json()).toMatchObject({ detail: expect.stringContaining('/api/fills') });
  expect((await admin.ask('/api/fills')).json()).toEqual(none);
  listeners[3]?.outgoing.destroy();
  await until(
    async () => (await admin.ask('/api/fills/stream', { method: 'HEAD' })).status === 200,
  );
});

test('a HEAD gets the fields and is no listener', async () => {
  const { admin, timers } = await setup();
  const answer = await admin.ask('/api/fills/stream', { method: 'HEAD' });
  expect(answer.headers['content-type']).toBe('text/event-stream');
  expect(answer.body).toBe('');
  expect(timers.running.size).toBe(0);
});

test('closing ends the streams and the timer', async () => {
  const { admin, timers, listen } = await setup();
  const listener = await listen();
  admin.admin.close();
  await until(() => listener.ended);
  expect(listener.message.complete).toBe(true);
  expect(timers.running.size).toBe(0);
  expect((await admin.ask('/api/fills/stream')).status).toBe(503);
});

test.each(['/api/fills', '/api/fills/stream'])('%s is for who may read', async (target) => {
  const { admin } = await setup(undefined, 'correct-horse');
  expect((await admin.ask(target)).status).toBe(401);
  const open = await startAdmin();
  expect((await open.ask(target, { headers: { Host: 'rebound.example.com' } })).status).toBe(403);
});

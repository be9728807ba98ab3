import { expect } from 'vitest';
import { FakeClock } from '../../support/clock.ts';
import { type TestGateway, testGateway } from '../../support/gateway.ts';
import { httpOrigin } from '../../support/http-origin.ts';
import { untilSettled } from '../../support/settled.ts';
import { until } from '../../support/until.ts';
import type { Step } from './conversations.ts';
import { Talk } from './talk.ts';

const hour = { 'Cache-Control': 'max-age=3600' };

/** Bodies up to an eighth of it may be there, `/big` is in a file. */
const memory = 1024 * 1024;
export const bigBytes = 200_000;

/** Two gateways before one origin, which differ in the fast path alone; time is the test's. */
export async function setup() {
  const clock = new FakeClock();
  const origin = await httpOrigin();
  origin.serve('/a', { body: 'a', etag: '"one"', headers: hour });
  origin.serve('/b', { body: 'b', headers: { ...hour, Vary: 'Accept, npm-session' } });
  origin.serve('/big', { body: { seed: 'big', size: bigBytes }, headers: hour });
  origin.serve('/middle', { body: { seed: 'middle', size: 20_000 }, headers: hour });
  origin.serve('/short', { body: 'short', headers: { 'Cache-Control': 'max-age=2' } });
  origin.serve('/moved', {
    body: '',
    status: 301,
    headers: { ...hour, Location: `${origin.url}/a` },
  });
  origin.serve('/gone', { body: 'gone', status: 404, headers: hour });
  origin.serve('/empty', { body: '', headers: hour });
  origin.serve('/private', { body: 'mine', headers: { 'Cache-Control': 'no-store' } });
  for (const path of [
    '/a',
    '/b',
    '/big',
    '/middle',
    '/short',
    '/moved',
    '/gone',
    '/empty',
    '/private',
  ]) {
    const handler = origin.handlerOf(path);
    origin.handle(path, (request, response) => {
      // What the origin's own clock says is not the test's.
      response.sendDate = false;
      if (path !== '/b') response.setHeader('Date', new Date(clock.now()).toUTCString());
      return handler?.(request, response);
    });
  }
  const start = (fastPath: boolean): Promise<TestGateway> =>
    testGateway({
      config: { fastPath, memory, debugToken: 'token' },
      mounts: [
        { path: '/files', url: origin.url },
        { path: '/npm', url: origin.url, ecosystem: 'npm' },
      ],
      now: clock.now,
    });
  return { clock, origin, fast: await start(true), ordinary: await start(false) };
}

/** The log's lines on requests, without what the time of day has a part in. */
export function requestLines(gateway: TestGateway): unknown[] {
  return gateway
    .log()
    .filter(({ msg }) => msg === 'request')
    .map(({ time, durationMs, firstByteMs, upstreamFirstByteMs, ...rest }) => rest);
}

/** Has the same conversation with both and compares all that can be seen of it. */
export async function compare(
  { clock, fast, ordinary }: Awaited<ReturnType<typeof setup>>,
  steps: readonly Step[],
): Promise<string> {
  const talks = [fast, ordinary].map(({ url }) => new Talk(url)) as [Talk, Talk];
  for (const { pieces, methods, pause } of steps) {
    clock.advance(pause);
    if (!talks[0].open || !talks[1].open) break;
    await Promise.all(talks.map((talk) => talk.ask(pieces, methods)));
    // What is stored behind an answer is there for the next request.
    await Promise.all([fast, ordinary].map(untilSettled));
  }
  await Promise.all(talks.map((talk) => talk.end()));
  expect(talks[0].heard).toBe(talks[1].heard);
  const lines = () => [requestLines(fast), requestLines(ordinary)] as const;
  await until(() => lines()[0].length === lines()[1].length, 'as many lines in both logs');
  expect(lines()[0]).toEqual(lines()[1]);
  return talks[0].heard;
}

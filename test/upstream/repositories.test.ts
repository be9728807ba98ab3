import { describe, expect, it } from 'vitest';
import { fieldLines } from '../../src/core/raw-headers.ts';
import { createDownloader } from '../../src/upstream/download.ts';
import type { Downloader } from '../../src/upstream/downloader.ts';
import { collect } from '../support/collect.ts';
import { expectNoLeaks } from '../support/leaks.ts';
import { close, response } from '../support/replies.ts';
import type { ScriptedOrigin } from '../support/scripted-origin.ts';
import { request, two } from './test-download.ts';
import { transportForTest } from './test-transport.ts';

interface Places {
  readonly first: ScriptedOrigin;
  readonly second: ScriptedOrigin;
  readonly downloader: Downloader;
  ask(path: string, headers?: readonly string[]): ReturnType<Downloader['fetch']>;
}

async function setup(): Promise<Places> {
  expectNoLeaks();
  const [first, second] = await two();
  const downloader = createDownloader(transportForTest());
  const upstreams = [
    { url: `${first.url}/one`, authorization: 'Basic one' },
    { url: `${second.url}/two` },
  ];
  const ask = (path: string, headers: readonly string[] = []) =>
    downloader.fetch(
      request(`${first.url}/one${path}`, { upstreams, headers, repositories: true }),
    );
  return { first, second, downloader, ask };
}

describe('repositories', () => {
  it.each(['404 Not Found', '410 Gone'])('are asked in turn after a %s', async (status) => {
    const { first, second, ask } = await setup();
    first.expect('GET', '/one/a', response(status, {}, 'none'));
    second.expect('GET', '/two/a', response('200 OK', {}, 'found'));
    const answer = await ask('/a');
    expect((await collect(answer)).bytes.toString()).toBe('found');
    expect(answer.attempts.map(({ outcome }) => outcome)).toEqual([
      Number(status.slice(0, 3)),
      200,
    ]);
  });

  it('answer that nobody has it as the last one does', async () => {
    const { first, second, ask } = await setup();
    first.expect('GET', '/one/a', response('404 Not Found', {}, 'one'));
    second.expect('GET', '/two/a', response('404 Not Found', {}, 'two'));
    const answer = await ask('/a');
    expect([answer.status, (await collect(answer)).bytes.toString()]).toEqual([404, 'two']);
  });

  it.each(['200 OK', '500 Error', '429 Slow down', '403 No'])(
    'ends the search with a %s',
    async (status) => {
      const { first, ask } = await setup();
      first.expect('GET', '/one/a', response(status, {}, 'this'));
      const answer = await ask('/a');
      expect(answer.status).toBe(Number(status.slice(0, 3)));
      await collect(answer);
    },
  );

  it('end the search where one cannot be reached: its names are not another’s', async () => {
    const { first, ask } = await setup();
    first.expect('GET', '/one/a', close);
    await expect(ask('/a')).rejects.toMatchObject({ origin: 'upstream' });
  });

  it('get no credentials but their own', async () => {
    const { first, second, ask } = await setup();
    const missing = first.expect('GET', '/one/a', response('404 Not Found', {}, ''));
    const found = second.expect('GET', '/two/a', response('200 OK', {}, ''));
    await collect(await ask('/a', ['Cookie', 'mine', 'Accept', 'x/y']));
    const asked = [await missing.requested, await found.requested];
    const fields = (name: string) => asked.map(({ headers }) => fieldLines(headers, name));
    expect(fields('authorization')).toEqual([['Basic one'], []]);
    expect(fields('cookie')).toEqual([['mine'], []]);
    expect(fields('accept')).toEqual([['x/y'], ['x/y']]);
  });
});

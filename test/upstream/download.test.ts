import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/core/errors.ts';
import { fieldLines } from '../../src/core/raw-headers.ts';
import { createDownloader } from '../../src/upstream/download.ts';
import { FakeClock } from '../support/clock.ts';
import { collect } from '../support/collect.ts';
import { expectNoLeaks } from '../support/leaks.ts';
import { close, hang, head, reset, response, type Step } from '../support/replies.ts';
import type { RecordedRequest } from '../support/request-reader.ts';
import { scriptedOrigin } from '../support/scripted-origin.ts';
import { request, two } from './test-download.ts';
import { transportForTest } from './test-transport.ts';

const ok = response('200 OK', {}, 'ok');

function credentials({ headers }: RecordedRequest): string[] {
  return [...fieldLines(headers, 'authorization'), ...fieldLines(headers, 'cookie')];
}

describe('failover', () => {
  const failures: [string, Step[]][] = [
    ...['429 Too Many', '500 Error', '502 Bad', '503 Busy', '504 Late'].map(
      (status): [string, Step[]] => [status, [response(status, {}, 'sorry')]],
    ),
    ['a closed connection', [close]],
    ['a reset connection', [reset]],
    ['garbage', ['garbage\r\n\r\n', hang]],
  ];
  it.each(failures)(
    '%s: the next upstream is asked for the same path below it',
    async (_what, steps) => {
      expectNoLeaks();
      const [first, second] = await two();
      first.expect('GET', '/one/a%2Fb?c=d', ...steps);
      second.expect('GET', '/deep/two/a%2Fb?c=d', ok);
      const upstreams = [{ url: `${first.url}/one` }, { url: `${second.url}/deep/two` }];
      const heard: unknown[] = [];
      const answer = await createDownloader(transportForTest()).fetch(
        request(`${first.url}/one/a%2Fb?c=d`, {
          upstreams,
          onAttempt: ({ url }) => heard.push(url),
        }),
      );
      expect((await collect(answer)).bytes.toString()).toBe('ok');
      expect(answer.origin).toBe(second.url);
      expect(answer.attempts).toHaveLength(2);
      expect(answer.attempts[1]).toEqual({ url: answer.url, outcome: 200 });
      expect(heard).toEqual([`${first.url}/one/a%2Fb?c=d`, `${second.url}/deep/two/a%2Fb?c=d`]);
    },
  );

  it('a 404 is an answer; the last upstream answers as it is', async () => {
    const [first, second] = await two();
    first.expect('GET', '/a', response('404 Not Found', {}, ''));
    first.expect('GET', '/b', response('503 Busy', {}, 'one'));
    second.expect('GET', '/b', response('503 Busy', { 'Retry-After': 7 }, 'two'));
    const upstreams = [{ url: first.url }, { url: second.url }];
    const downloader = createDownloader(transportForTest());
    const ordered = { upstreams, order: 'configured' } as const;
    expect((await downloader.fetch(request(`${first.url}/a`, ordered))).status).toBe(404);
    const last = await downloader.fetch(request(`${first.url}/b`, ordered));
    expect(last.status).toBe(503);
    expect((await collect(last)).bytes.toString()).toBe('two');
  });

  it('the last error stands; one that is not retryable ends it at once', async () => {
    const [first, second] = await two();
    first.expect('GET', '/a', close);
    second.expect('GET', '/a', response('200 OK', { 'Transfer-Encoding': 'x' }, ''));
    const upstreams = [{ url: first.url }, { url: second.url }];
    const downloader = createDownloader(transportForTest());
    await expect(downloader.fetch(request(`${first.url}/a`, { upstreams }))).rejects.toMatchObject({
      code: 'http_protocol_error',
    });
    await expect(
      downloader.fetch(request(`${first.url}/a`, { upstreams, trusted: false })),
    ).rejects.toMatchObject({ code: 'destination_ip_prohibited' });
    expect(first.requests).toHaveLength(1);
  });

  it('a method that is not safe goes to the first upstream only', async () => {
    const [first, second] = await two();
    first.expect('POST', '/a', response('503 Busy', {}, ''));
    const upstreams = [{ url: first.url }, { url: second.url }];
    const answer = await createDownloader(transportForTest()).fetch(
      request(`${first.url}/a`, { upstreams, method: 'POST' }),
    );
    expect(answer.status).toBe(503);
  });

  it('a URL outside the first upstream has no mirrors', async () => {
    const [first, second] = await two();
    first.expect('GET', '/mountain', response('503 Busy', {}, ''));
    const upstreams = [{ url: `${first.url}/mount` }, { url: `${second.url}/mount` }];
    const answer = await createDownloader(transportForTest()).fetch(
      request(`${first.url}/mountain`, { upstreams }),
    );
    expect(answer.status).toBe(503);
  });

  it('a dead upstream is not asked first again until its pause is over', async () => {
    const [first, second] = await two();
    const clock = new FakeClock();
    first.expect('GET', '/1', reset);
    for (const path of ['/1', '/2']) second.expect('GET', path, ok);
    first.expect('GET', '/3', ok);
    const upstreams = [{ url: first.url }, { url: second.url }];
    const downloader = createDownloader(transportForTest(), { now: clock.now });
    const from = async (path: string): Promise<string> => {
      const answer = await downloader.fetch(request(first.url + path, { upstreams }));
      await collect(answer);
      return answer.origin;
    };
    expect(await from('/1')).toBe(second.url);
    clock.advance(9_999);
    expect(await from('/2')).toBe(second.url);
    clock.advance(1);
    expect(await from('/3')).toBe(first.url);
  });

  it('an abort ends it all', async () => {
    const [first, second] = await two();
    const script = first.expect('GET', '/a', hang);
    const upstreams = [{ url: first.url }, { url: second.url }];
    const abort = new AbortController();
    const fetched = createDownloader(transportForTest()).fetch(
      request(`${first.url}/a`, { upstreams }),
      abort.signal,
    );
    await script.requested;
    abort.abort();
    await expect(fetched).rejects.toMatchObject({ code: 'client_gone' });
    await script.disconnected;
  });
});

describe('credentials', () => {
  const headers = ['Authorization', 'Bearer client', 'Cookie', 'c=1', 'Accept', '*/*'];

  it("the client's go to the first upstream only, a target's own to the target only", async () => {
    const [first, second] = await two();
    const third = await scriptedOrigin();
    first.expect('GET', '/a', close);
    second.expect('GET', '/a', close);
    third.expect('GET', '/a', ok);
    const upstreams = [
      { url: first.url },
      { url: second.url, authorization: 'Basic two' },
      { url: third.url },
    ];
    await createDownloader(transportForTest()).fetch(
      request(`${first.url}/a`, { upstreams, headers }),
    );
    const seen = [first, second, third].map(({ requests }) => requests.map(credentials));
    expect(seen).toEqual([[['Bearer client', 'c=1']], [['Basic two']], [[]]]);
  });

  it("a target's own replaces the client's", async () => {
    const origin = await scriptedOrigin();
    origin.expect('GET', '/a', ok);
    const upstreams = [{ url: origin.url, authorization: 'Basic own' }];
    await createDownloader(transportForTest()).fetch(
      request(`${origin.url}/a`, { upstreams, headers }),
    );
    expect(origin.requests.map(credentials)).toEqual([['Basic own', 'c=1']]);
  });

  it("none go to a URL on another host; without upstreams the client's go to the URL", async () => {
    const [first, second] = await two();
    second.expect('GET', '/file', ok);
    second.expect('GET', '/alone', ok);
    const upstreams = [{ url: first.url, authorization: 'Basic own' }];
    const downloader = createDownloader(transportForTest());
    await collect(await downloader.fetch(request(`${second.url}/file`, { upstreams, headers })));
    await collect(await downloader.fetch(request(`${second.url}/alone`, { headers })));
    expect(second.requests.map(credentials)).toEqual([[], ['Bearer client', 'c=1']]);
  });

  it('are dropped where a redirect leaves the origin, also when it comes back', async () => {
    const [first, second] = await two();
    first.expect('GET', '/a', head('302 Found', { Location: '/b', 'Content-Length': 0 }));
    first.expect(
      'GET',
      '/b',
      head('302 Found', { Location: `${second.url}/c`, 'Content-Length': 0 }),
    );
    second.expect(
      'GET',
      '/c',
      head('302 Found', { Location: `${first.url}/d`, 'Content-Length': 0 }),
    );
    first.expect('GET', '/d', ok);
    const upstreams = [{ url: first.url, authorization: 'Basic own' }];
    await createDownloader(transportForTest(), { redirectTrusted: () => true }).fetch(
      request(`${first.url}/a`, { upstreams, headers }),
    );
    expect(first.requests.map(credentials)).toEqual([
      ['Basic own', 'c=1'],
      ['Basic own', 'c=1'],
      [],
    ]);
    expect(second.requests.map(credentials)).toEqual([[]]);
  });
});

it('says what a request is for to the transport', async () => {
  const sent: unknown[] = [];
  const transport = {
    send(asked: { purpose?: unknown }) {
      sent.push(asked.purpose);
      return Promise.reject(new GatewayError('dns_error', 'none', { origin: 'upstream' }));
    },
    close: async () => {},
  };
  const purpose = { ecosystem: 'npm' };
  const fetched = createDownloader(transport).fetch(request('http://a.test/', { purpose }));
  await expect(fetched).rejects.toMatchObject({ code: 'dns_error' });
  expect(sent).toEqual([purpose]);
});

import { describe, expect, it } from 'vitest';
import { createDownloader } from '../../src/upstream/download.ts';
import { collect } from '../support/collect.ts';
import { expectNoLeaks } from '../support/leaks.ts';
import { hang, head, response } from '../support/replies.ts';
import { scriptedOrigin } from '../support/scripted-origin.ts';
import { request, two } from './test-download.ts';
import { transportForTest } from './test-transport.ts';

const ok = response('200 OK', {}, 'ok');

describe('redirects', () => {
  it.each(['301 Moved', '302 Found', '303 See Other', '307 Temporary', '308 Permanent'])(
    '%s is followed with Range and conditions',
    async (status) => {
      expectNoLeaks();
      const origin = await scriptedOrigin();
      const headers = ['Range', 'bytes=5-', 'If-Range', '"a"', 'If-None-Match', '"b"'];
      origin.expect(
        'GET',
        '/dir/a?q',
        response(status, { Location: '../b%2F?x=%ff#part' }, 'moved'),
      );
      origin.expect('GET', '/b%2F?x=%ff', ok);
      const answer = await createDownloader(transportForTest()).fetch(
        request(`${origin.url}/dir/a?q`, { headers }),
      );
      expect((await collect(answer)).bytes.toString()).toBe('ok');
      expect(answer.url).toBe(`${origin.url}/b%2F?x=%ff`);
      expect(origin.requests[1]?.headers.slice(-6)).toEqual(headers);
      expect(answer.attempts.map(({ outcome }) => outcome)).toEqual([
        Number(status.slice(0, 3)),
        200,
      ]);
    },
  );

  it('bytes beyond ASCII in Location stay what they are', async () => {
    const origin = await scriptedOrigin();
    origin.expect(
      'GET',
      '/a',
      head('302 Found', { Location: '/caf\u00c3\u00a9', 'Content-Length': 0 }),
    );
    origin.expect('GET', '/caf%C3%A9', ok);
    await createDownloader(transportForTest()).fetch(request(`${origin.url}/a`));
  });

  it('are given to the client when asked, without Location, and for other methods', async () => {
    const origin = await scriptedOrigin();
    const moved = head('302 Found', { Location: '/b', 'Content-Length': 0 });
    origin.expect('GET', '/a', moved);
    origin.expect('GET', '/none', head('302 Found', { 'Content-Length': 0 }));
    origin.expect('POST', '/a', moved);
    const downloader = createDownloader(transportForTest());
    const statuses = [
      await downloader.fetch(request(`${origin.url}/a`, { redirects: 'forward' })),
      await downloader.fetch(request(`${origin.url}/none`)),
      await downloader.fetch(request(`${origin.url}/a`, { method: 'POST' })),
    ].map(({ status }) => status);
    expect(statuses).toEqual([302, 302, 302]);
  });

  it('that turn in a circle, or never end, are a loop', async () => {
    const origin = await scriptedOrigin();
    const to = (location: string): string =>
      head('302 Found', { Location: location, 'Content-Length': 0 });
    origin.expect('GET', '/a', to('/b'));
    origin.expect('GET', '/b', to('/a'));
    const downloader = createDownloader(transportForTest());
    await expect(downloader.fetch(request(`${origin.url}/a`))).rejects.toMatchObject({
      code: 'redirect_loop',
      origin: 'upstream',
    });
    for (let i = 0; i <= 5; i += 1) origin.expect('GET', `/${i}`, to(`/${i + 1}`));
    await expect(downloader.fetch(request(`${origin.url}/0`))).rejects.toMatchObject({
      code: 'redirect_loop',
    });
    for (let i = 10; i < 15; i += 1) origin.expect('GET', `/${i}`, to(`/${i + 1}`));
    origin.expect('GET', '/15', ok);
    expect((await downloader.fetch(request(`${origin.url}/10`))).status).toBe(200);
  });

  it('to another host: a private address is refused unless that place is trusted', async () => {
    const [first, second] = await two();
    const moved = head('302 Found', { Location: `${second.url}/b`, 'Content-Length': 0 });
    for (let i = 0; i < 3; i += 1) first.expect('GET', '/a', moved);
    for (let i = 0; i < 2; i += 1) second.expect('GET', '/b', ok);
    const url = `${first.url}/a`;
    const transport = transportForTest();
    await expect(createDownloader(transport).fetch(request(url))).rejects.toMatchObject({
      code: 'destination_ip_prohibited',
    });
    const trusting = createDownloader(transport, {
      redirectTrusted: (target) => target === `${second.url}/b`,
    });
    expect((await trusting.fetch(request(url))).status).toBe(200);
    const asked = createDownloader(transport).fetch(request(url, { redirectTrusted: () => true }));
    expect((await asked).status).toBe(200);
  });

  it.each(['ftp://example.com/a', 'http://', 'https://[bad/', 'javascript:alert(1)'])(
    'that lead nowhere are a protocol error: %s',
    async (location) => {
      const origin = await scriptedOrigin();
      origin.expect('GET', '/a', head('302 Found', { Location: location, 'Content-Length': 0 }));
      const fetched = createDownloader(transportForTest()).fetch(request(`${origin.url}/a`));
      await expect(fetched).rejects.toMatchObject({ code: 'http_protocol_error' });
    },
  );

  it('a long body of a redirect is not read', async () => {
    const origin = await scriptedOrigin();
    const script = origin.expect(
      'GET',
      '/a',
      head('302 Found', { Location: '/b', 'Content-Length': 10_000_000 }),
      Buffer.alloc(200_000),
      hang,
    );
    origin.expect('GET', '/b', ok);
    const answer = await createDownloader(transportForTest()).fetch(request(`${origin.url}/a`));
    expect(answer.status).toBe(200);
    await script.disconnected;
  });
});

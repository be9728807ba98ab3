import { expect, test } from 'vitest';
import { FakeClock } from '../support/clock.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { untilSettled } from '../support/settled.ts';
import { until } from '../support/until.ts';
import { overSurfaces, type Setup } from './surfaces.ts';

const fields = { 'Cache-Control': 'max-age=60', ETag: '"posted"' };

overSurfaces('a response to POST (RFC 9110 section 9.3.3)', (setup) => {
  /** Answers each POST to /a so, and each GET with `got`. */
  function answerPosts({ origin }: Setup, headers: Record<string, string>, body: Uint8Array) {
    origin.handle('/a', (request, response) => {
      request.resume();
      request.once('end', () => {
        response.writeHead(200, request.method === 'POST' ? headers : {});
        response.end(request.method === 'POST' ? body : 'got');
      });
    });
  }

  const post = ({ gateway, at }: Setup, headers: Record<string, string> = {}) =>
    gateway.get(at('/a'), { method: 'POST', headers, body: 'question' });

  test('that is what a GET would get, and for how long, answers a later GET and HEAD', async () => {
    const clock = new FakeClock();
    const made = await setup({ now: clock.now });
    const { origin, gateway, at } = made;
    const body = generatedBytes('posted', 0, 1_000_000);
    answerPosts(made, { ...fields, 'Content-Location': `${origin.url}/a` }, body);
    expect((await post(made)).body.equals(body)).toBe(true);
    await untilSettled(gateway);
    const got = await gateway.get(at('/a'));
    expect(got.body.equals(body)).toBe(true);
    expect(got.field('cache-status')).toMatch(/^millrace; hit/);
    const part = await gateway.get(at('/a'), { headers: { Range: 'bytes=-10' } });
    expect(part.status).toBe(206);
    const head = await gateway.get(at('/a'), { method: 'HEAD' });
    expect(head.field('content-length')).toBe('1000000');
    expect(origin.requests).toHaveLength(1);
    clock.advance(61_000);
    expect((await gateway.get(at('/a'))).body.toString()).toBe('got');
  });

  test('replaces what was stored, and never answers another POST', async () => {
    const made = await setup();
    const { origin, gateway, at } = made;
    origin.serve('/a', { body: 'before', headers: { 'Cache-Control': 'max-age=60' } });
    await gateway.get(at('/a'));
    await untilSettled(gateway);
    answerPosts(made, { ...fields, 'Content-Location': '/a' }, Buffer.from('after'));
    await post(made);
    await untilSettled(gateway);
    expect((await gateway.get(at('/a'))).body.toString()).toBe('after');
    await post(made);
    expect(origin.requests.map(({ method }) => method)).toEqual(['GET', 'POST', 'POST']);
  });

  test.each<[string, Record<string, string>, Record<string, string>]>([
    ['without Content-Location', fields, {}],
    ['with another Content-Location', { ...fields, 'Content-Location': '/b' }, {}],
    ['without explicit freshness', { 'Content-Location': '/a', ETag: '"1"' }, {}],
    ['with no-store', { 'Content-Location': '/a', 'Cache-Control': 'max-age=9, no-store' }, {}],
    ['to credentials', { ...fields, 'Content-Location': '/a' }, { Authorization: 'Basic eA==' }],
    ['with Vary: *', { ...fields, 'Content-Location': '/a', Vary: '*' }, {}],
  ])('%s answers no GET', async (_, headers, asked) => {
    const made = await setup();
    answerPosts(made, headers, Buffer.from('posted'));
    expect((await post(made, asked)).body.toString()).toBe('posted');
    await untilSettled(made.gateway);
    expect((await made.gateway.get(made.at('/a'))).body.toString()).toBe('got');
  });

  test('that breaks off is not stored, and its client sees it', async () => {
    const made = await setup();
    const { origin, gateway, at } = made;
    origin.handle('/a', (request, response) => {
      request.resume();
      if (request.method !== 'POST') {
        response.end('got');
        return;
      }
      response.writeHead(200, { ...fields, 'Content-Location': '/a', 'Content-Length': 10 });
      response.write('12345', () => response.destroy());
    });
    expect((await post(made)).aborted).toBe(true);
    await untilSettled(gateway);
    expect((await gateway.get(at('/a'))).body.toString()).toBe('got');
  });

  test('whose client leaves is not stored', async () => {
    const made = await setup();
    const { origin, gateway, at } = made;
    let over = false;
    origin.handle('/a', (request, response) => {
      if (request.method !== 'POST') {
        response.end('got');
        return;
      }
      response.writeHead(200, { ...fields, 'Content-Location': '/a', 'Content-Length': 10 });
      response.write('12345');
      response.once('close', () => {
        over = true;
      });
    });
    const target = at('/a').startsWith('/') ? `${gateway.url}${at('/a')}` : at('/a');
    const proxy = at('/a').startsWith('/') ? {} : { proxy: gateway.url };
    const { message } = await gateway.client.open(target, { method: 'POST', ...proxy });
    message.destroy();
    await until(() => over, 'the upstream to be left, too');
    await untilSettled(gateway);
    expect((await gateway.get(at('/a'))).body.toString()).toBe('got');
  });

  test('that another change overtakes is not stored', async () => {
    const made = await setup();
    const { origin, gateway, at } = made;
    let finish = (): void => undefined;
    origin.handle('/a', (request, response) => {
      request.resume();
      if (request.method === 'DELETE') response.writeHead(204).end();
      else if (request.method === 'GET') response.end('got');
      else {
        response.writeHead(200, { ...fields, 'Content-Location': '/a', 'Content-Length': 10 });
        response.write('12345');
        finish = () => response.end('67890');
      }
    });
    const posted = post(made);
    await until(async () => {
      const { fills } = (await gateway.admin('/api/stats')) as { fills: { active: number } };
      return fills.active === 1;
    }, 'the body to be on its way');
    await gateway.get(at('/a'), { method: 'DELETE' });
    finish();
    expect((await posted).body.toString()).toBe('1234567890');
    await untilSettled(gateway);
    expect((await gateway.get(at('/a'))).body.toString()).toBe('got');
  });
});

import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { collect } from '../support/collect.ts';
import { head, response } from '../support/replies.ts';
import { scriptedOrigin } from '../support/scripted-origin.ts';
import { get, transportForTest } from './test-transport.ts';

const ok = response('200 OK', {}, 'ok');

describe('the request', () => {
  it('goes out with Host from the URL and the fields as given', async () => {
    const origin = await scriptedOrigin();
    const script = origin.expect('GET', '/a%20b?c=%ff&d', ok);
    const transport = transportForTest();
    const headers = ['User-Agent', 'apt/2', 'X-A', '1', 'x-a', '2', 'Latin', 'caf\u00e9'];
    await collect(await transport.send(get(`${origin.url}/a%20b?c=%ff&d`, { headers })));
    expect((await script.requested).rawHead).toBe(
      `GET /a%20b?c=%ff&d HTTP/1.1\r\nhost: 127.0.0.1:${origin.port}\r\nconnection: keep-alive\r\n` +
        'User-Agent: apt/2\r\nX-A: 1\r\nx-a: 2\r\nLatin: caf\u00e9\r\n\r\n',
    );
  });

  it('streams its body in chunked coding', async () => {
    const origin = await scriptedOrigin();
    const script = origin.expect('PUT', '/p', response('201 Created', {}, ''));
    const transport = transportForTest();
    const body = Readable.from([Buffer.from('one'), Buffer.from('two')]);
    const answer = await transport.send(get(`${origin.url}/p`, { method: 'PUT', body }));
    expect(answer.status).toBe(201);
    expect((await script.requested).body.toString()).toBe('onetwo');
    await collect(answer);
  });

  it('is refused before it is sent when it cannot be written', async () => {
    const transport = transportForTest();
    await expect(
      transport.send(get('http://127.0.0.1:9/', { headers: ['X', 'a\nb'] })),
    ).rejects.toMatchObject({ code: 'http_request_error', origin: 'gateway', retryable: false });
  });
});

describe('the response head', () => {
  it('keeps order, case, duplicates and every latin1 byte of its fields', async () => {
    const origin = await scriptedOrigin();
    origin.expect(
      'GET',
      '/',
      'HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-Odd:\t caf\u00e9 \u00ff \t\r\nset-cookie: b=2\r\n' +
        'Empty:\r\nCONTENT-LENGTH: 0\r\n\r\n',
    );
    let time = 1_000;
    const transport = transportForTest({ now: () => time++ });
    const answer = await transport.send(get(`${origin.url}/`));
    expect(answer.headers).toEqual([
      'Set-Cookie',
      'a=1',
      'X-Odd',
      'caf\u00e9 \u00ff',
      'set-cookie',
      'b=2',
      'Empty',
      '',
      'CONTENT-LENGTH',
      '0',
    ]);
    expect(answer).toMatchObject({
      status: 200,
      origin: origin.url,
      url: `${origin.url}/`,
      requestTime: 1_000,
      responseTime: 1_001,
    });
    expect(await collect(answer)).toEqual({ bytes: Buffer.alloc(0), error: undefined });
  });

  it('comes after interim responses, which are told of', async () => {
    const origin = await scriptedOrigin();
    origin.expect(
      'GET',
      '/',
      head('103 Early Hints', { Link: '</a>' }),
      head('102 Processing'),
      ok,
    );
    const interim: unknown[] = [];
    const onInterim = (...told: unknown[]) => interim.push(told);
    const answer = await transportForTest().send({ ...get(`${origin.url}/`), onInterim });
    expect(answer.status).toBe(200);
    expect(interim).toEqual([
      [103, ['Link', '</a>']],
      [102, []],
    ]);
    expect((await collect(answer)).bytes.toString()).toBe('ok');
  });

  it('keeps Content-Encoding and its bytes untouched', async () => {
    const origin = await scriptedOrigin();
    origin.expect('GET', '/', response('200 OK', { 'Content-Encoding': 'gzip' }, '\x1f\x8bnot'));
    const answer = await transportForTest().send(get(`${origin.url}/`));
    expect((await collect(answer)).bytes.toString('latin1')).toBe('\x1f\x8bnot');
  });
});

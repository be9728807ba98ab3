import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import { Readable } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import type { Transport } from '../../src/upstream/upstream.ts';
import { collect } from '../support/collect.ts';
import { frameOrigin } from '../support/frame-origin.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { http2Origin, httpsOrigin } from '../support/http-origin.ts';
import { expectNoLeaks } from '../support/leaks.ts';
import { selfSigned } from '../support/tls/self-signed.ts';
import { get, transportForTest } from './test-transport.ts';

type Options = Parameters<typeof transportForTest>[0];

function http2(options: Options = {}): Transport {
  return transportForTest({ http2: true, ca: [selfSigned.cert], ...options });
}

async function text(transport: Transport, url: string): Promise<string> {
  const { bytes, error } = await collect(await transport.send(get(url)));
  if (error) throw error;
  return bytes.toString();
}

/** What the compatibility layer gives to handlers is not quite what it says. */
function asHttp2(response: ServerResponse): Http2ServerResponse {
  return response as unknown as Http2ServerResponse;
}

it('over TLS h2 is taken where it is offered: requests are streams of one connection', async () => {
  expectNoLeaks();
  const origin = await http2Origin();
  origin.serve('/a', { body: { seed: 'a', size: 100_000 } });
  const connects: string[] = [];
  const transport = http2({ onConnect: (to) => connects.push(to) });
  const all = await Promise.all(
    Array.from({ length: 40 }, async () => collect(await transport.send(get(`${origin.url}/a`)))),
  );
  for (const { bytes, error } of all) {
    expect(error).toBeUndefined();
    expect(bytes.equals(generatedBytes('a', 0, 100_000))).toBe(true);
  }
  expect(new Set(origin.requests.map(({ httpVersion }) => httpVersion))).toEqual(new Set(['2.0']));
  expect(origin.connections).toBe(1);
  expect(connects).toEqual([origin.url]);
});

it('an upstream that chooses HTTP/1.1 is spoken to on that same connection', async () => {
  expectNoLeaks();
  const origin = await httpsOrigin();
  origin.serve('/a', { body: 'a' });
  const connects: string[] = [];
  const transport = http2({ onConnect: (to) => connects.push(to) });
  expect(await text(transport, `${origin.url}/a`)).toBe('a');
  expect(await text(transport, `${origin.url}/a`)).toBe('a');
  expect(origin.requests.map(({ httpVersion }) => httpVersion)).toEqual(['1.1', '1.1']);
  expect(origin.connections).toBe(1);
  expect(connects).toEqual([origin.url]);
});

it('HTTP/1.1 it is where HTTP/2 is switched off, and for what wants its own connection', async () => {
  const origin = await http2Origin();
  origin.serve('/a', { body: 'a' });
  expect(await text(http2({ http2: false }), `${origin.url}/a`)).toBe('a');
  const transport = http2();
  expect(await text(transport, `${origin.url}/a`)).toBe('a');
  const parts = [0, 1].map(() =>
    transport.send(get(`${origin.url}/a`, { lane: true })).then(collect),
  );
  await Promise.all(parts);
  expect(origin.requests.map(({ httpVersion }) => httpVersion)).toEqual([
    '1.1',
    '2.0',
    '1.1',
    '1.1',
  ]);
  expect(origin.connections).toBe(4);
});

it('the request has pseudo-fields for Host, its other fields in order, and none of a connection', async () => {
  const origin = await http2Origin();
  origin.serve('/a', { body: 'a' });
  const headers = ['User-Agent', 'apt/2', 'X-A', '1', 'Connection', 'close', 'x-a', '2'];
  headers.push('TE', 'gzip', 'Upgrade', 'h2c', 'Latin', 'caf\u00e9', 'Accept', 'a', 'Accept', 'b');
  await collect(await http2().send(get(`${origin.url}/a?b=%ff`, { headers })));
  expect(origin.requests[0]?.headers).toEqual([
    ...[':method', 'GET', ':scheme', 'https', ':authority', new URL(origin.url).host],
    ...[':path', '/a?b=%ff', 'user-agent', 'apt/2', 'x-a', '1', 'x-a', '2'],
    ...['latin', 'caf\u00e9', 'accept', 'a', 'accept', 'b'],
  ]);
});

it('a request that cannot be written is refused before it is sent', async () => {
  const origin = await http2Origin();
  await expect(
    http2().send(get(`${origin.url}/`, { headers: ['X', 'a\nb'] })),
  ).rejects.toMatchObject({ code: 'http_request_error', origin: 'gateway', retryable: false });
  expect(origin.requests).toEqual([]);
});

it('a request streams its body', async () => {
  const origin = await http2Origin();
  const bodies: string[] = [];
  origin.handle('/p', async (request: IncomingMessage, response) => {
    bodies.push(await textOf(request));
    response.writeHead(201).end();
  });
  const body = Readable.from([Buffer.from('one'), Buffer.from('two')]);
  const answer = await http2().send(get(`${origin.url}/p`, { method: 'PUT', body }));
  expect(answer.status).toBe(201);
  expect(await collect(answer)).toEqual({ bytes: Buffer.alloc(0), error: undefined });
  expect(bodies).toEqual(['onetwo']);
});

it('the response has its fields in order with duplicates, and no pseudo-field', async () => {
  const origin = await frameOrigin((stream) => {
    stream.head({ ':status': '200', 'set-cookie': 'a=1', etag: '"a"', empty: '' });
    stream.data('ok', 'end');
  });
  let time = 1_000;
  const answer = await http2({ now: () => time++ }).send(get(`${origin.url}/`));
  expect(answer).toMatchObject({ status: 200, origin: origin.url, url: `${origin.url}/` });
  expect(answer).toMatchObject({ requestTime: 1_000, responseTime: 1_001 });
  expect(answer.headers).toEqual(['set-cookie', 'a=1', 'etag', '"a"', 'empty', '']);
  expect((await collect(answer)).bytes.toString()).toBe('ok');
});

it('interim responses are told of, and trailers are dropped', async () => {
  const origin = await http2Origin();
  origin.handle('/', (_request, response) => {
    const { stream } = asHttp2(response);
    stream.additionalHeaders({ ':status': 103, link: '</a>' });
    stream.additionalHeaders({ ':status': 102 });
    response.addTrailers({ 'x-trailer': '1' });
    response.end('ok');
  });
  const interim: unknown[] = [];
  const onInterim = (...told: unknown[]) => interim.push(told);
  const answer = await http2().send(get(`${origin.url}/`, { onInterim }));
  expect(interim).toEqual([
    [103, ['link', '</a>']],
    [102, []],
  ]);
  expect(answer.headers.includes('x-trailer')).toBe(false);
  expect(await collect(answer)).toEqual({ bytes: Buffer.from('ok'), error: undefined });
});

it.each([
  ['HEAD', 'HEAD', '200'],
  ['204', 'GET', '204'],
  ['304', 'GET', '304'],
])('the body is empty for %s, whatever the length says', async (_what, method, status) => {
  const length: Record<string, string> = status === '204' ? {} : { 'content-length': '1000' };
  const origin = await frameOrigin((stream) => {
    stream.head({ ':status': status, ...length }, 'end');
  });
  const answer = await http2().send(get(`${origin.url}/`, { method }));
  expect(await collect(answer)).toEqual({ bytes: Buffer.alloc(0), error: undefined });
});

it('the certificate is verified as ever', async () => {
  const origin = await http2Origin();
  const transport = transportForTest({ http2: true });
  await expect(transport.send(get(`${origin.url}/`))).rejects.toMatchObject({
    code: 'tls_certificate_error',
  });
  expect(origin.requests).toEqual([]);
});

it('the private address guard holds, and guarded requests share no connection with others', async () => {
  const origin = await http2Origin();
  origin.serve('/a', { body: 'a' });
  const closed = http2();
  expect(await text(closed, `${origin.url}/a`)).toBe('a');
  await expect(closed.send(get(`${origin.url}/a`, { trusted: false }))).rejects.toMatchObject({
    code: 'destination_ip_prohibited',
  });
  expect(origin.connections).toBe(1);
  const open = http2({ allowAddress: () => true });
  await collect(await open.send(get(`${origin.url}/a`)));
  await collect(await open.send(get(`${origin.url}/a`, { trusted: false })));
  expect(origin.connections).toBe(3);
});

it('no more streams are open than allowed, here and there; who waits is served in order', async () => {
  const open: (() => void)[] = [];
  let most = 0;
  const origin = await http2Origin();
  origin.handle('/', (_request, response) => {
    open.push(() => response.end('ok'));
    most = Math.max(most, open.length);
    // Answered two at a time, so that the third one must wait for a place.
    if (open.length === 2) for (const answer of open.splice(0)) answer();
  });
  const transport = http2({ connectionsPerOrigin: 2 });
  const paths = [0, 1, 2, 3, 4, 5].map((i) => `/?${i}`);
  const all = await Promise.all(paths.map((path) => text(transport, origin.url + path)));
  expect(all).toEqual(Array(6).fill('ok'));
  expect(most).toBe(2);
  expect(origin.requests.map(({ target }) => target)).toEqual(paths);
  expect(origin.connections).toBe(1);
});

it('no upstream gets more streams on a connection than it says it takes, from the first on', async () => {
  const most = 5;
  const origin = await http2Origin({ maxConcurrentStreams: most });
  origin.serve('/a', { body: { seed: 'a', size: 50_000 } });
  const transport = http2();
  const all = await Promise.all(
    Array.from({ length: 40 }, async () => collect(await transport.send(get(`${origin.url}/a`)))),
  );
  expect(all.filter(({ error }) => error !== undefined)).toEqual([]);
  // None was refused and sent again.
  expect(origin.requests).toHaveLength(40);
});

it('an upstream that takes few streams on a connection gets another connection', async () => {
  let first: (() => void) | undefined;
  const origin = await frameOrigin((stream) => {
    const answer = (): void => {
      stream.head({ ':status': '200' });
      stream.data(`on ${stream.connection}`, 'end');
    };
    if (stream.id === 1 && stream.connection === 1) {
      stream.settings({ 3: 1 });
      stream.head({ ':status': '103' });
      first = answer;
      return;
    }
    answer();
    first?.();
  });
  const transport = http2();
  const limited = Promise.withResolvers<void>();
  const onInterim = (): void => limited.resolve();
  const long = transport.send(get(`${origin.url}/`, { onInterim }));
  await limited.promise;
  expect(await text(transport, `${origin.url}/`)).toBe('on 2');
  expect((await collect(await long)).bytes.toString()).toBe('on 1');
});

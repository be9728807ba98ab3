import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import {
  type ClientHttp2Session,
  connect as http2Connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { createAuthority } from '../../src/tls/authority.ts';
import { writeAuthority } from '../../src/tls/authority-files.ts';
import { dataWithAuthority } from '../support/authority.ts';
import { type TestGateway, testGateway } from '../support/gateway.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { type HttpOrigin, httpsOrigin } from '../support/http-origin.ts';
import { untilSettled } from '../support/settled.ts';
import { trustTestCertificate } from '../support/tls/trusted.ts';
import { askTunnel, nextBytes, rest } from '../support/tunnel.ts';
import { until } from '../support/until.ts';

const headers = { 'Cache-Control': 'max-age=60' };

interface Setup {
  readonly origin: HttpOrigin;
  readonly gateway: TestGateway;
  readonly ca: string;
  /** `localhost:port` of the origin. */
  readonly authority: string;
}

async function setup(
  config: Partial<Omit<Config, 'forwardProxy' | 'listen'>> & {
    forwardProxy?: Partial<Config['forwardProxy']>;
  } = {},
): Promise<Setup> {
  trustTestCertificate();
  const origin = await httpsOrigin();
  origin.serve('/base/a', { body: 'hello', headers });
  const { data, authority } = await dataWithAuthority();
  const gateway = await testGateway({
    config: { data, ...config },
    mounts: [{ path: '/files', url: `${origin.url}/base` }],
  });
  return { origin, gateway, ca: authority.certificate, authority: `localhost:${origin.port}` };
}

/** TLS through the gateway, as a client that trusts `ca`; rejects where it does not take the certificate. */
async function secure(
  { gateway, ca, authority }: Setup,
  { protocols = ['http/1.1'], target = authority }: { protocols?: string[]; target?: string } = {},
): Promise<TLSSocket> {
  const { status, socket } = await askTunnel(gateway.url, target);
  expect(status).toBe(200);
  socket.allowHalfOpen = false;
  const client = tlsConnect({ socket, ca, servername: 'localhost', ALPNProtocols: protocols });
  onTestFinished(() => void client.destroy());
  await once(client, 'secureConnect');
  return client;
}

interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One request of HTTP/1.1 on a connection of its own. */
async function get(
  where: Setup,
  path: string,
  {
    method = 'GET',
    body = '',
    fields = {},
  }: { method?: string; body?: string; fields?: object } = {},
): Promise<Got> {
  const socket = await secure(where);
  const request = httpRequest({
    createConnection: () => socket,
    method,
    path,
    headers: { Host: where.authority, ...fields },
  });
  request.end(body);
  const [message] = (await once(request, 'response')) as [IncomingMessage];
  return {
    status: message.statusCode ?? 0,
    headers: message.headers,
    body: await rest(message),
  };
}

async function session(where: Setup): Promise<ClientHttp2Session> {
  const socket = await secure(where, { protocols: ['h2', 'http/1.1'] });
  expect(socket.alpnProtocol).toBe('h2');
  const client = http2Connect(`https://${where.authority}`, { createConnection: () => socket });
  onTestFinished(() => client.destroy());
  return client;
}

/** One request of HTTP/2. */
async function ask(
  client: ClientHttp2Session,
  asked: OutgoingHttpHeaders,
  body?: string | Buffer,
): Promise<Got> {
  const stream = client.request(asked, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  const [received] = (await once(stream, 'response')) as [
    IncomingHttpHeaders & { ':status': number },
  ];
  return { status: received[':status'], headers: received, body: await rest(stream) };
}

function lines(gateway: TestGateway): Record<string, unknown>[] {
  return gateway.log().filter(({ surface }) => surface === 'connect');
}

describe('an intercepted tunnel', () => {
  test('is a hit on what a mount stored', async () => {
    const where = await setup();
    expect((await where.gateway.get('/files/a')).body.toString()).toBe('hello');
    await untilSettled(where.gateway);
    const answer = await get(where, '/base/a');
    expect(answer.body.toString()).toBe('hello');
    expect(answer.headers['cache-status']).toContain('hit');
    expect(where.origin.requests).toHaveLength(1);
    await until(() => lines(where.gateway).length > 0);
    expect(lines(where.gateway)).toMatchObject([
      { method: 'GET', target: '/base/a', outcome: 'hit', mount: '/files', status: 200 },
    ]);
  });

  test('stores what a mount then has as a hit', async () => {
    const where = await setup();
    expect((await get(where, '/base/a')).headers['cache-status']).toContain('fwd=uri-miss');
    await untilSettled(where.gateway);
    const answer = await where.gateway.get('/files/a');
    expect(answer.field('cache-status')).toContain('hit');
    expect(where.origin.requests).toHaveLength(1);
  });

  test('shares the same entry over HTTP/2', async () => {
    const where = await setup();
    await where.gateway.get('/files/a');
    await untilSettled(where.gateway);
    const client = await session(where);
    const answers = await Promise.all([
      ask(client, { ':path': '/base/a' }),
      ask(client, { ':path': '/base/a', ':method': 'HEAD' }),
      ask(client, { ':path': '/base/a', range: 'bytes=1-2' }),
    ]);
    expect(answers.map(({ status, body }) => [status, body.toString()])).toEqual([
      [200, 'hello'],
      [200, ''],
      [206, 'el'],
    ]);
    for (const answer of answers) expect(answer.headers['cache-status']).toContain('hit');
    expect(answers[0]?.headers.date).not.toContain(',,');
    expect(where.origin.requests).toHaveLength(1);
  });

  test('brings a large body over HTTP/2 whole, at the pace of its reader', async () => {
    const where = await setup();
    const size = 12 * 2 ** 20;
    where.origin.serve('/base/large', { body: { seed: 'large', size }, headers });
    const client = await session(where);
    const { body } = await ask(client, { ':path': '/base/large' });
    expect(body.equals(generatedBytes('large', 0, size))).toBe(true);
  });

  test('serves many large bodies on one connection of HTTP/2 at a time', async () => {
    const where = await setup();
    const size = 2 ** 20;
    where.origin.serve('/base/large', { body: { seed: 'many', size }, headers });
    const whole = generatedBytes('many', 0, size);
    const client = await session(where);
    const streams = Array.from({ length: 120 }, () => client.request({ ':path': '/base/large' }));
    // Nobody reads until all have begun: what waits for them is bounded, and refuses none.
    for (const stream of streams) stream.pause();
    await Promise.all(streams.map((stream) => once(stream, 'response')));
    const bodies = await Promise.all(streams.map(rest));
    expect(bodies.filter((body) => !body.equals(whole))).toEqual([]);
  });

  test('passes fields on that HTTP/2 would have once', async () => {
    const where = await setup();
    where.origin.handle('/base/twice', (_request, response) => {
      const fields = ['Server', 'a', 'Server', 'b', 'Content-Type', 'a/b', 'Content-Type', 'c/d'];
      response.writeHead(200, [...fields, 'Cache-Control', 'no-store']).end('hello');
    });
    const client = await session(where);
    const { status, body } = await ask(client, { ':path': '/base/twice' });
    expect([status, body.toString()]).toEqual([200, 'hello']);
  });

  test('passes on what is not for the cache, with its body', async () => {
    const where = await setup();
    const bodies: string[] = [];
    where.origin.handle('/base/new', async (request, response) => {
      bodies.push((await rest(request)).toString());
      response.writeHead(201, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']).end('made');
    });
    const client = await session(where);
    const answers = [
      await get(where, '/base/new', { method: 'PUT', body: 'one' }),
      await ask(client, { ':path': '/base/new', ':method': 'PUT', 'content-length': 3 }, 'two'),
      // In HTTP/2 the length need not be said.
      await ask(client, { ':path': '/base/new', ':method': 'POST' }, 'three'),
    ];
    for (const { status, body, headers } of answers) {
      expect([status, body.toString()]).toEqual([201, 'made']);
      expect(headers['set-cookie']).toEqual(['a=1', 'b=2']);
    }
    expect(bodies).toEqual(['one', 'two', 'three']);
  });

  test.each([
    ['of a known length', { 'Content-Length': 1000 }],
    ['of no known length', {}],
  ])('a body %s that breaks off is no whole one over HTTP/2', async (_length, fields) => {
    const where = await setup();
    where.origin.handle('/base/broken', (_request, response) => {
      response.writeHead(200, { ...fields, 'Cache-Control': 'no-store' });
      response.write('only this', () => response.destroy());
    });
    const client = await session(where);
    await expect(ask(client, { ':path': '/base/broken' })).rejects.toThrow(/INTERNAL_ERROR/);
    // Other streams of the connection are none the worse for it.
    expect((await ask(client, { ':path': '/base/a' })).status).toBe(200);
  });

  test('a client that gives up one request of HTTP/2 keeps the others', async () => {
    const where = await setup();
    let open = 0;
    where.origin.handle('/base/slow', (_request, response) => {
      open += 1;
      response.once('close', () => {
        open -= 1;
      });
      response.writeHead(200, { 'Cache-Control': 'no-store' }).write('begun');
    });
    const client = await session(where);
    const stream = client.request({ ':path': '/base/slow' });
    await once(stream, 'data');
    expect(open).toBe(1);
    stream.close();
    await until(() => open === 0, 'the upstream hears of it');
    expect((await ask(client, { ':path': '/base/a' })).status).toBe(200);
    const aborted = lines(where.gateway).find(({ target }) => target === '/base/slow');
    expect(aborted).toMatchObject({ aborted: true });
  });

  test('goes nowhere else than where it was asked for', async () => {
    const where = await setup();
    const over1 = await get(where, '/base/a', { fields: { Host: 'example.com' } });
    expect(over1.status).toBe(400);
    const client = await session(where);
    const over2 = await ask(client, { ':path': '/base/a', ':authority': 'example.com' });
    expect(over2.status).toBe(400);
    expect(where.origin.requests).toHaveLength(0);
  });

  test('reaches no private place that no mount names', async () => {
    const where = await setup({ forwardProxy: { allow: [] } });
    where.origin.serve('/elsewhere', { body: 'secret', headers });
    expect((await get(where, '/elsewhere')).status).toBe(403);
    expect((await get(where, '/base/a')).status).toBe(200);
    expect(where.origin.requests).toHaveLength(1);
  });

  test('has an address for a host, too', async () => {
    const where = await setup({ forwardProxy: { intercept: ['127.0.0.1'], allow: ['127.0.0.1'] } });
    const target = `127.0.0.1:${where.origin.port}`;
    const { gateway } = where;
    await gateway.gateway.reload({
      ...gateway.config,
      forwardProxy: { ...gateway.config.forwardProxy, tunnelPorts: [where.origin.port] },
    });
    const { socket } = await askTunnel(gateway.url, target);
    const client = tlsConnect({ socket, ca: where.ca, host: '127.0.0.1' });
    await once(client, 'secureConnect');
    client.write(`GET /base/a HTTP/1.1\r\nHost: ${target}\r\nConnection: close\r\n\r\n`);
    expect((await rest(client)).toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n(?:.|\r\n)*hello$/);
  });

  test('is there through the HTTPS listener, too: TLS within TLS', async () => {
    trustTestCertificate();
    const origin = await httpsOrigin();
    origin.serve('/base/a', { body: 'hello', headers });
    const { data, authority } = await dataWithAuthority();
    const tls = { port: 0, certificate: undefined, key: undefined, names: [] };
    const gateway = await testGateway({
      config: { data, listen: { tls } },
      mounts: [{ path: '/files', url: `${origin.url}/base` }],
    });
    const ca = authority.certificate;
    const target = `localhost:${origin.port}`;
    const { port } = new URL(gateway.secureUrl ?? '');
    const outer = tlsConnect({ port: Number(port), ca, servername: 'localhost' });
    outer.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
    expect((await nextBytes(outer)).toString()).toMatch(/^HTTP\/1\.1 200 /);
    const inner = tlsConnect({ socket: outer, ca, servername: 'localhost' });
    inner.write(`GET /base/a HTTP/1.1\r\nHost: ${target}\r\nConnection: close\r\n\r\n`);
    expect((await rest(inner)).toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n(?:.|\r\n)*hello$/);
    const [line] = lines(gateway);
    expect(line).toMatchObject({ outcome: 'miss', mount: '/files', client: '127.0.0.1' });
  });

  test('takes what comes along with the CONNECT for the beginning of TLS', async () => {
    const where = await setup();
    const captured = await clientHello();
    const { status, socket } = await askTunnel(where.gateway.url, where.authority, {
      early: captured,
    });
    expect(status).toBe(200);
    socket.resume();
    const [answer] = (await once(socket, 'data')) as [Buffer];
    // A handshake record with a ServerHello. RFC 8446 sections 4, 5.1.
    expect([answer[0], answer[5]]).toEqual([22, 2]);
  });
});

describe('a client that does not take the certificate', () => {
  test('is one line of the log that says which host and what to do', async () => {
    const where = await setup();
    const { socket } = await askTunnel(where.gateway.url, where.authority);
    const stranger = await dataWithAuthority();
    const client = tlsConnect({
      socket,
      ca: stranger.authority.certificate,
      servername: 'localhost',
    });
    await expect(once(client, 'secureConnect')).rejects.toThrow();
    socket.destroy();
    await until(() => lines(where.gateway).length > 0);
    const [line] = lines(where.gateway);
    expect(line).toMatchObject({ method: 'CONNECT', target: where.authority });
    expect(line?.detail).toMatch(/localhost.*millrace ca export.*cafile/);
    expect(where.origin.requests).toHaveLength(0);
  });

  test('and says so by an alert is counted as an error', async () => {
    const where = await setup();
    const { socket } = await askTunnel(where.gateway.url, where.authority);
    socket.write(await clientHello());
    socket.resume();
    await once(socket, 'data');
    // An alert in the clear, fatal: bad_certificate. RFC 8446 section 6.2.
    socket.write(Buffer.from([21, 3, 3, 0, 2, 2, 42]));
    await until(() => lines(where.gateway).length > 0);
    expect(lines(where.gateway)).toMatchObject([
      { level: 'warn', error: 'tls_certificate_error', outcome: 'failed' },
    ]);
  });
});

test('an authority that is made while the gateway runs is taken on SIGHUP', async () => {
  trustTestCertificate();
  const origin = await httpsOrigin();
  origin.serve('/a', { body: 'hello', headers });
  const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
  const pems = await createAuthority({ permitted: [], now: Date.now() });
  await writeAuthority(gateway.config.data, pems);
  await gateway.gateway.reload(gateway.config);
  const where = { origin, gateway, ca: pems.certificate, authority: `localhost:${origin.port}` };
  expect((await get(where, '/a')).body.toString()).toBe('hello');
});

describe('no tunnel is intercepted', () => {
  test('without an authority', async () => {
    trustTestCertificate();
    const origin = await httpsOrigin();
    const gateway = await testGateway({
      config: { forwardProxy: { allow: [`127.0.0.1:${origin.port}`] } },
      mounts: [{ path: '/files', url: origin.url }],
    });
    const { socket } = await askTunnel(gateway.url, `localhost:${origin.port}`);
    const client = tlsConnect({ socket, servername: 'self-signed.test' });
    await once(client, 'secureConnect');
    expect(client.getPeerCertificate().subject.CN).toBe('self-signed.test');
    client.destroy();
  });

  test('to a host that the list of hosts leaves out', async () => {
    const where = await setup({
      forwardProxy: { intercept: [], allow: ['127.0.0.1', 'localhost'] },
    });
    const { socket } = await askTunnel(where.gateway.url, where.authority);
    const client = tlsConnect({ socket, servername: 'self-signed.test' });
    await once(client, 'secureConnect');
    expect(client.getPeerCertificate().subject.CN).toBe('self-signed.test');
    client.destroy();
  });

  test('to a host that the authority is not for, and the log says so', async () => {
    const where = await setup({ forwardProxy: { intercept: ['example.com'] } });
    const line = where.gateway.log().find(({ msg }) => String(msg).includes('not intercepted'));
    expect(line).toMatchObject({ level: 'warn', hosts: ['example.com'] });
  });
});

test('the certificate of an upstream is always verified', async () => {
  const { data, authority } = await dataWithAuthority();
  const origin = await httpsOrigin();
  origin.serve('/a', { body: 'hello', headers });
  const gateway = await testGateway({
    config: { data },
    mounts: [{ path: '/files', url: origin.url }],
  });
  const where = {
    origin,
    gateway,
    ca: authority.certificate,
    authority: `localhost:${origin.port}`,
  };
  const answer = await get(where, '/a');
  expect(answer.status).toBe(502);
  expect(answer.headers['proxy-status']).toContain('error=tls_certificate_error');
  expect(origin.requests).toHaveLength(0);
});

test('a shutdown ends idle intercepted connections, and waits for those that are busy', async () => {
  const where = await setup();
  let finish = (): void => undefined;
  where.origin.handle('/base/slow', (_request, response) => {
    response.writeHead(200, { 'Cache-Control': 'no-store' }).write('begun ');
    finish = () => void response.end('ended');
  });
  const idle1 = await secure(where);
  idle1.write(`GET /base/a HTTP/1.1\r\nHost: ${where.authority}\r\n\r\n`);
  expect((await nextBytes(idle1)).toString()).toContain('hello');
  const idle2 = await session(where);
  const busy = await session(where);
  const stream = busy.request({ ':path': '/base/slow' });
  await once(stream, 'data');
  const closed = where.gateway.close();
  await Promise.all([once(idle1.resume(), 'end'), once(idle2, 'close')]);
  finish();
  expect((await rest(stream)).toString()).toBe('ended');
  await closed;
});

/** The first bytes that a TLS client says. */
async function clientHello(): Promise<Buffer> {
  const { Duplex } = await import('node:stream');
  return new Promise((resolve) => {
    const wire = new Duplex({
      read: () => undefined,
      write(chunk: Buffer, _encoding, done) {
        resolve(chunk);
        done();
      },
    });
    tlsConnect({ socket: wire, servername: 'localhost' }).on('error', () => undefined);
  });
}

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { connect as http2Connect, type IncomingHttpHeaders } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dataWithAuthority } from '../support/authority.ts';
import { type TestGateway, temporaryFolder, testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { untilSettled } from '../support/settled.ts';
import { tcpTarget } from '../support/tcp-target.ts';
import { selfSigned } from '../support/tls/self-signed.ts';
import { nextBytes, rest } from '../support/tunnel.ts';

const none = { port: 0, certificate: undefined, key: undefined, names: [] };

interface Setup {
  readonly gateway: TestGateway;
  readonly origin: Awaited<ReturnType<typeof httpOrigin>>;
  readonly ca: string;
  readonly url: string;
}

/** A gateway with an HTTPS listener, by the authority or by files. */
async function setup(by: 'authority' | 'files'): Promise<Setup> {
  const origin = await httpOrigin();
  origin.serve('/a', { body: 'hello', headers: { 'Cache-Control': 'max-age=60' } });
  origin.handle('/moved', (_request, response) => {
    response.writeHead(302, { Location: `${origin.url}/a`, 'Cache-Control': 'no-store' }).end();
  });
  const { data, authority } = await dataWithAuthority();
  const folder = await temporaryFolder();
  const files = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  await writeFile(files.certificate, selfSigned.cert);
  await writeFile(files.key, selfSigned.key);
  const tls = { ...none, ...(by === 'files' && files) };
  const gateway = await testGateway({
    config: { data, listen: { tls } },
    mounts: [{ path: '/files', url: origin.url }],
  });
  return {
    gateway,
    origin,
    ca: by === 'files' ? selfSigned.cert : authority.certificate,
    url: gateway.secureUrl ?? '',
  };
}

async function get(url: string, ca: string, servername = 'localhost') {
  const request = httpsRequest(url, { ca, servername, agent: false });
  request.end();
  const [message] = (await once(request, 'response')) as [IncomingMessage];
  return { headers: message.headers, body: (await rest(message)).toString() };
}

describe.each(['authority', 'files'] as const)(
  'an HTTPS listener with a certificate by %s',
  (by) => {
    test('serves HTTP/1.1 and HTTP/2 from the one cache', async () => {
      const { gateway, origin, ca, url } = await setup(by);
      expect((await get(`${url}/files/a`, ca)).body).toBe('hello');
      await untilSettled(gateway);
      const session = http2Connect(url, { ca, servername: 'localhost' });
      onTestFinished(() => session.destroy());
      const stream = session.request({ ':path': '/files/a' });
      const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
      expect(headers['cache-status']).toContain('hit');
      expect((await rest(stream)).toString()).toBe('hello');
      expect((await gateway.get('/files/a')).field('cache-status')).toContain('hit');
      expect(origin.requests).toHaveLength(1);
    });

    test('is https:// in what it says of itself', async () => {
      const { ca, url } = await setup(by);
      const { headers } = await get(`${url}/files/moved`, ca);
      expect(headers.location).toBe(`${url}/files/a`);
      expect((await get(`${url}/`, ca)).body).toContain(`${url}/files`);
    });
  },
);

test('a client that does not know the name of the host gets the certificate, too', async () => {
  const { ca, url } = await setup('authority');
  const { port } = new URL(url);
  // RFC 6066 section 3: an address is no server name.
  const socket = tlsConnect({ host: '127.0.0.1', port: Number(port), ca });
  await once(socket, 'secureConnect');
  expect(socket.authorized).toBe(true);
  socket.destroy();
});

test('is a proxy for tunnels, too', async () => {
  const target = await tcpTarget((socket) => void socket.pipe(socket));
  const { gateway, ca, url } = await setup('files');
  await gateway.gateway.reload({
    ...gateway.config,
    forwardProxy: { ...gateway.config.forwardProxy, allow: [target.authority] },
  });
  const socket = tlsConnect({
    host: '127.0.0.1',
    port: Number(new URL(url).port),
    ca,
    servername: 'localhost',
  });
  socket.write(`CONNECT ${target.authority} HTTP/1.1\r\nHost: x\r\n\r\n`);
  expect((await nextBytes(socket)).toString()).toMatch(/^HTTP\/1\.1 200 /);
  socket.write('ping');
  expect((await nextBytes(socket)).toString()).toBe('ping');
  socket.destroy();
});

test('a new certificate is taken on SIGHUP, and a broken one is not', async () => {
  const { gateway, ca, url } = await setup('files');
  const { certificate = '', key = '' } = gateway.config.listen.tls;
  await writeFile(certificate, 'nothing of the kind');
  await gateway.gateway.reload(gateway.config);
  expect((await get(`${url}/files/a`, ca)).body).toBe('hello');
  expect(gateway.log().some(({ msg }) => msg === 'certificates not reloaded')).toBe(true);
  const { authority } = await dataWithAuthority();
  const made = await authority.certify(['localhost'], Date.now());
  await writeFile(certificate, made.chain);
  await writeFile(key, made.key);
  await gateway.gateway.reload(gateway.config);
  expect((await get(`${url}/files/a`, authority.certificate)).body).toBe('hello');
  await expect(get(`${url}/files/a`, ca)).rejects.toThrow();
});

test('without a certificate it does not start, and says what it needs', async () => {
  await expect(testGateway({ config: { listen: { tls: none } } })).rejects.toThrow(
    /listen\.tls\.certificate.*millrace ca create/,
  );
});

test('an HTTP/1.0 client that says no more in the middle of a body sees it broken off', async () => {
  const { gateway, origin, ca, url } = await setup('files');
  origin.handle('/endless', (_request, response) => {
    response.writeHead(200, { 'Cache-Control': 'no-store' }).write('begun');
  });
  const socket = tlsConnect({ port: Number(new URL(url).port), ca, servername: 'localhost' });
  const end = new Promise((resolve) => {
    socket.once('error', resolve).once('close', () => resolve('closed'));
  });
  socket.write('GET /files/endless HTTP/1.0\r\n\r\n');
  await once(socket, 'data');
  socket.end();
  await end;
  expect((await get(`${url}/files/a`, ca)).body).toBe('hello');
  expect(gateway.log().filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
});

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { raw } from '../support/raw.ts';
import { close, hang, head, hold, reset, response, type Step } from '../support/replies.ts';
import { scriptedOrigin } from '../support/scripted-origin.ts';
import { until } from '../support/until.ts';
import { overSurfaces } from './surfaces.ts';

const large = Buffer.alloc(8_000_000);

/** A gateway that gives up an upstream after a tenth of a second of silence. */
async function impatient() {
  const origin = await scriptedOrigin();
  const timeouts = { connect: 1000, firstByte: 1000, idle: 100, floor: 100 };
  const mounts = [{ path: '/files', url: origin.url }];
  return { origin, gateway: await testGateway({ mounts, config: { timeouts } }) };
}

overSurfaces('a method that is not cached', (setup) => {
  test.each(['POST', 'PUT', 'PATCH', 'DELETE'])('%s goes through with its body', async (method) => {
    const { origin, gateway, at } = await setup();
    const bodies: string[] = [];
    origin.handle('/publish?x=%2f', (request, reply) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        bodies.push(`${request.method} ${body}`);
        reply.writeHead(201, { Location: `${origin.url}/made`, 'X-A': ['1', '2'] }).end('done');
      });
    });
    const headers = {
      Authorization: 'Bearer mine',
      Connection: 'X-Hop',
      'X-Hop': 'gone',
      'Transfer-Encoding': 'chunked',
    };
    const answer = await gateway.get(at('/publish?x=%2f'), { method, body: 'body', headers });
    expect(answer.status).toBe(201);
    expect(answer.body.toString()).toBe('done');
    expect(answer.field('x-a')).toBe('1, 2');
    expect(bodies).toEqual([`${method} body`]);
    const sent = origin.requests[0]?.headers ?? [];
    expect(sent).toContain('Bearer mine');
    expect(sent).not.toContain('gone');
    expect(sent.join(' ')).toMatch(/via 1\.1 millrace-/i);
    expect(answer.field('cache-status')).toBe(
      'millrace; fwd=method; fwd-status=201; detail=passthrough',
    );
  });
});

test('the client’s own credentials give way to those of the upstream', async () => {
  const origin = await httpOrigin();
  origin.handle('/a', (_request, reply) => {
    reply.end();
  });
  const upstreams = [{ url: origin.url, authorization: 'Bearer ours' }];
  const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url, upstreams }] });
  await gateway.get('/files/a', { method: 'PUT', headers: { Authorization: 'Bearer mine' } });
  expect(origin.requests[0]?.headers).toContain('Bearer ours');
  expect(origin.requests[0]?.headers).not.toContain('Bearer mine');
});

test('an upstream that is not there is a 502, one that breaks off an aborted connection', async () => {
  const origin = await scriptedOrigin();
  const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
  origin.expect('POST', '/a', head('200 OK', { 'Content-Length': '10' }), '01234', close);
  const broken = await gateway.get('/files/a', { method: 'POST' });
  expect(broken.aborted).toBe(true);
  origin.expect('POST', '/a', response('200 OK', {}, 'fine'));
  expect((await gateway.get('/files/a', { method: 'POST' })).body.toString()).toBe('fine');
  await origin.close();
  const gone = await gateway.get('/files/a', { method: 'POST' });
  expect(gone.status).toBe(502);
  expect(gone.field('proxy-status')).toContain('error=connection_refused');
});

test.each([
  ['HTTP/1.1', 'Content-Length: 10'],
  ['HTTP/1.0', 'X-No: length'],
])(
  'what breaks off before its turn on a connection comes to no end there: %s',
  async (version, field) => {
    const origin = await scriptedOrigin();
    const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
    const first = origin.expect('GET', '/first', hold, response('200 OK', {}, 'first'));
    origin.expect('POST', '/a', `HTTP/1.1 200 OK\r\n${field}\r\n\r\n01234`, hold, reset).release();
    const ask = 'GET /files/first HTTP/1.1\r\nHost: x\r\n\r\n';
    const answers = raw(
      gateway.url,
      `${ask}POST /files/a ${version}\r\nHost: x\r\nContent-Length: 0\r\n\r\n`,
    );
    await until(() => gateway.log().some(({ error }) => error !== undefined), 'it broke off');
    first.release();
    // The connection ends, and with it what cannot be completed.
    expect(await answers).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\nfirst$/s);
  },
);

test.each([
  ['with more fields than can be read', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(1000)}`],
  ['in a coding that nobody asked for', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, x\r\n'],
  ['with a status below 100', 'HTTP/1.1 099 OK\r\nContent-Length: 4\r\n'],
])('an answer %s is none', async (_how, start) => {
  const origin = await scriptedOrigin();
  const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
  origin.expect('POST', '/a', `${start}\r\nfine`);
  const answer = await gateway.get('/files/a', { method: 'POST' });
  expect(answer.status).toBe(502);
  expect(answer.field('proxy-status')).toContain('error=http_protocol_error');
});

describe('a body without a length is broken off', () => {
  test.each<[string, string, Step]>([
    ['GET', 'by a reset', reset],
    ['POST', 'by a reset', reset],
    ['GET', 'by silence', hang],
    ['POST', 'by silence', hang],
  ])('%s: %s', async (method, _how, end) => {
    const { origin, gateway } = await impatient();
    const script = origin.expect(method, '/a', head('200 OK'), '01234', hold, end);
    const { message } = await gateway.client.open(`${gateway.url}/files/a`, { method });
    await once(message, 'data');
    const broken = once(message, 'error');
    message.resume();
    script.release();
    await broken;
    expect(message.complete).toBe(false);
  });
});

test.each<[string, Record<string, string | number>, Step[]]>([
  ['with a length', { 'Content-Length': 8_000_000 }, [large]],
  ['in chunks', { 'Transfer-Encoding': 'chunked' }, ['7a1200\r\n', large, '\r\n0\r\n\r\n']],
])(
  'a body %s that nobody reads is given up, and what follows is not taken for its end',
  async (_how, fields, body) => {
    const { origin, gateway } = await impatient();
    origin.expect('POST', '/a', head('200 OK', fields), ...body);
    const { message } = await gateway.client.open(`${gateway.url}/files/a`, { method: 'POST' });
    await until(() => gateway.log().some(({ msg }) => msg === 'request'), 'the request is over');
    const broken = once(message, 'error');
    message.resume();
    await broken;
    expect(message.complete).toBe(false);
    expect(gateway.log()).toContainEqual(
      expect.objectContaining({ msg: 'request', error: 'connection_read_timeout' }),
    );
  },
);

test('an answer without a body needs no length', async () => {
  const origin = await scriptedOrigin();
  const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
  origin.expect('POST', '/a', head('204 No Content'));
  const answer = await gateway.get('/files/a', { method: 'POST' });
  expect(answer).toMatchObject({ status: 204, aborted: false });
});

test('private targets are as closed to other methods as they are to GET', async () => {
  const origin = await httpOrigin();
  const gateway = await testGateway({ config: { forwardProxy: { allow: [] } } });
  for (const host of ['127.0.0.1', 'localhost']) {
    const answer = await gateway.get(`http://${host}:${origin.port}/a`, { method: 'POST' });
    expect(answer.status).toBe(403);
    expect(answer.field('proxy-status')).toContain('error=destination_ip_prohibited');
  }
  expect(origin.requests).toHaveLength(0);
});

test('a WebSocket is joined to the upstream’s', async () => {
  const server = createServer();
  server.on('upgrade', (request, socket) => {
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.on('data', (data) => socket.write(data));
    socket.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const gateway = await testGateway({ mounts: [{ path: '/live', url }] });
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  socket.setEncoding('latin1');
  socket.write(
    'GET /live/chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  const [head101] = await once(socket, 'data');
  expect(head101).toMatch(/^HTTP\/1\.1 101 /);
  socket.write('ping');
  expect((await once(socket, 'data'))[0]).toBe('ping');
  socket.destroy();
});

test('an upgrade to what is not there, or not allowed, is refused with its reason', async () => {
  const origin = await httpOrigin();
  const gateway = await testGateway({
    mounts: [{ path: '/live', url: origin.url }],
    config: { forwardProxy: { allow: [] } },
  });
  await origin.close();
  const upgrade = async (target: string): Promise<string> => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    socket.setEncoding('latin1');
    socket.write(
      `GET ${target} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`,
    );
    const [answer] = await once(socket, 'data');
    socket.destroy();
    return answer;
  };
  expect(await upgrade('/live/chat')).toMatch(/^HTTP\/1\.1 502 .*error=connection_refused/s);
  expect(await upgrade(`${origin.url.replace('127.0.0.1', 'localhost')}/x`)).toMatch(
    /^HTTP\/1\.1 403 .*error=destination_ip_prohibited/s,
  );
});

const upgradeOf = (target: string) =>
  `GET ${target} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`;

describe('an upgrade that the upstream answers otherwise', () => {
  async function setup(answer: string, ...more: readonly Step[]) {
    const origin = await scriptedOrigin();
    const gateway = await testGateway({ mounts: [{ path: '/live', url: origin.url }] });
    origin.expect('GET', '/chat', answer, ...more);
    return { origin, gateway };
  }

  test('brings the client that answer, and ends the connection', async () => {
    const { gateway } = await setup('HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno');
    const answer = await raw(gateway.url, upgradeOf('/live/chat'));
    expect(answer).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
    expect(answer).toMatch(/^Via: 1\.1 millrace\r$/m);
    expect(answer).toMatch(/^Cache-Status: millrace; fwd=bypass; fwd-status=401; /m);
    expect(answer).toMatch(/^Connection: close\r$/m);
    expect(answer).toMatch(/\r\n\r\nno$/);
  });

  test('and breaks off leaves no connection open', async () => {
    const { gateway } = await setup('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf', close);
    const answer = await raw(gateway.url, upgradeOf('/live/chat'));
    expect(answer).toMatch(/\r\n\r\nhalf$/);
  });

  test.each<[string, string, string]>([
    ['is silent', '', 'HTTP/1.1 504 '],
    ['falls silent', 'HTTP/1.1 401 Unauthorized\r\n\r\nha', 'HTTP/1.1 401 '],
  ])('and %s is given up', async (_, answer, begins) => {
    const origin = await scriptedOrigin();
    const gateway = await testGateway({
      config: { timeouts: { connect: 5_000, firstByte: 50, idle: 50, floor: 20 } },
      mounts: [{ path: '/live', url: origin.url }],
    });
    origin.expect('GET', '/chat', answer, hang);
    const received = await raw(gateway.url, upgradeOf('/live/chat'));
    expect(received.startsWith(begins)).toBe(true);
    expect(received).not.toMatch(/\r\n0\r\n\r\n$/);
  });

  test('with bytes that are no HTTP is a 502', async () => {
    const { gateway } = await setup('SSH-2.0-OpenSSH\r\n');
    const answer = await raw(gateway.url, upgradeOf('/live/chat'));
    expect(answer).toMatch(/^HTTP\/1\.1 502 .*error=http_protocol_error/s);
  });
});

test.each(['DELETE', 'OPTIONS', 'PUT'])(
  '%s: what Connection lists cannot take the length from a body',
  async (method) => {
    const origin = await httpOrigin();
    const bodies: string[] = [];
    origin.handle('/a', (request, reply) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        bodies.push(body);
        reply.end();
      });
    });
    const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
    const smuggled = 'PUT /outside HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n';
    const headers = {
      Connection: 'content-length, host',
      'Content-Length': String(smuggled.length),
    };
    const answer = await gateway.get('/files/a', { method, headers, body: smuggled });
    expect(answer.status).toBe(200);
    expect(bodies).toEqual([smuggled]);
    expect(origin.requests.map(({ target }) => target)).toEqual(['/a']);
  },
);

test('a malformed answer is the upstream’s fault, and counted', async () => {
  const origin = await scriptedOrigin();
  const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
  origin.expect(
    'POST',
    '/a',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
  );
  const answer = await gateway.get('/files/a', { method: 'POST' });
  expect(answer.status).toBe(502);
  expect(answer.field('proxy-status')).toContain('error=http_protocol_error');
  const { traffic } = (await gateway.admin('/api/stats')) as {
    traffic: { upstreams: { origin: string; failures: Record<string, number> }[] };
  };
  const { failures } = traffic.upstreams.find((upstream) => upstream.origin === origin.url) ?? {};
  expect(failures).toEqual({ http_protocol_error: 1 });
});

test('an upgrade to something else than WebSocket is ignored', async () => {
  const origin = await httpOrigin();
  origin.serve('/a', { body: 'hello', headers: { 'Cache-Control': 'max-age=60' } });
  const gateway = await testGateway({ mounts: [{ path: '/files', url: origin.url }] });
  const headers = {
    Connection: 'Upgrade, HTTP2-Settings',
    Upgrade: 'h2c',
    'HTTP2-Settings': 'AAMAAABk',
  };
  const answer = await gateway.get('/files/a', { headers });
  expect(answer.body.toString()).toBe('hello');
  expect(answer.field('cache-status')).toContain('detail=miss');
});

test('the admin side is not to be had through the proxy', async () => {
  const gateway = await testGateway();
  const answer = await gateway.get(`${gateway.adminUrl}/api/stats`);
  expect(answer.status).toBe(403);
  expect(
    (await gateway.get(`${gateway.adminUrl}/api/entries?mount=/f`, { method: 'DELETE' })).status,
  ).toBe(403);
});

overSurfaces('OPTIONS with Max-Forwards (RFC 9110 section 7.6.2)', (setup) => {
  test('goes one hop less further, and at 0 no further', async () => {
    const { origin, gateway, at } = await setup();
    const asked: unknown[] = [];
    origin.handle('/a', (request, response) => {
      asked.push(request.headers['max-forwards']);
      response.writeHead(200, { Allow: 'GET' }).end();
    });
    const options = (hops: string) =>
      gateway.get(at('/a'), { method: 'OPTIONS', headers: { 'Max-Forwards': hops } });
    expect((await options('5')).field('allow')).toBe('GET');
    expect((await options('1')).field('allow')).toBe('GET');
    expect((await options('many')).field('allow')).toBe('GET');
    expect(asked).toEqual(['4', '0', 'many']);
    const own = await options('0');
    expect(own.status).toBe(200);
    expect(own.field('allow')).toContain('GET, HEAD');
    expect(asked).toHaveLength(3);
  });
});

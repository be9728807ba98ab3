import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { type TestGateway, testGateway } from '../support/gateway.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { raw } from '../support/raw.ts';
import { tcpTarget } from '../support/tcp-target.ts';
import { selfSigned } from '../support/tls/self-signed.ts';
import { askTunnel, nextBytes, rest } from '../support/tunnel.ts';
import { until } from '../support/until.ts';

type Forwarding = Partial<Config['forwardProxy']>;

/** A gateway whose tunnels may go to these places. */
function gatewayFor(allow: readonly string[], forwardProxy: Forwarding = {}): Promise<TestGateway> {
  return testGateway({ config: { forwardProxy: { allow, ...forwardProxy } } });
}

/** The log's line of the one tunnel, when it is there. */
async function tunnelLine(gateway: TestGateway): Promise<Record<string, unknown>> {
  const find = () => gateway.log().find(({ surface }) => surface === 'connect');
  await until(() => find() !== undefined, 'a line for the tunnel');
  return find() ?? {};
}

describe('a tunnel', () => {
  test('carries TLS to its target and back, and is one line of the log', async () => {
    const server = createTlsServer(selfSigned, (socket) => {
      socket.once('data', (chunk: Buffer) => socket.end(`you said ${chunk}`));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const authority = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const gateway = await gatewayFor([authority]);
    const { status, text, socket } = await askTunnel(gateway.url, authority);
    expect(status).toBe(200);
    // RFC 9110 section 9.3.6.
    expect(text).not.toMatch(/content-length|transfer-encoding/i);
    const secure = tlsConnect({ socket, ca: selfSigned.cert, servername: 'localhost' });
    secure.write('hello');
    expect((await rest(secure)).toString()).toBe('you said hello');
    secure.destroy();
    const line = await tunnelLine(gateway);
    expect(line).toMatchObject({
      method: 'CONNECT',
      target: authority,
      outcome: 'passthrough',
      status: 200,
      upstream: `https://${authority}`,
    });
    expect(line.bytesSent).toBeGreaterThan(100);
    expect(line.bytesOut).toBeGreaterThan(100);
    expect(line.bytesIn).toBe(line.bytesOut);
    const lines = gateway.log().filter(({ surface }) => surface === 'connect');
    expect(lines).toHaveLength(1);
    const { traffic } = await gateway.admin('/api/stats');
    expect(traffic).toMatchObject({
      requests: { bySurface: { connect: 1 } },
      bytes: { toClients: line.bytesOut, fromUpstreams: line.bytesOut },
    });
  });

  test('forwards what came along with the CONNECT', async () => {
    const target = await tcpTarget((socket) => void rest(socket).then((all) => socket.end(all)));
    const gateway = await gatewayFor([target.authority]);
    const { socket } = await askTunnel(gateway.url, target.authority, { early: 'first ' });
    socket.end('second');
    expect((await rest(socket)).toString()).toBe('first second');
    expect(await tunnelLine(gateway)).toMatchObject({ bytesSent: 12, bytesOut: 12 });
  });

  test('is open in one direction when the other has ended', async () => {
    const target = await tcpTarget((socket) => {
      socket.end('all that I have');
      socket.resume();
    });
    const gateway = await gatewayFor([target.authority]);
    const { socket } = await askTunnel(gateway.url, target.authority);
    expect((await rest(socket)).toString()).toBe('all that I have');
    const [received] = target.sockets;
    if (received === undefined) throw new Error('no connection');
    const heard = nextBytes(received);
    socket.write('still here');
    expect(String(await heard)).toBe('still here');
    socket.end();
    expect(await tunnelLine(gateway)).toMatchObject({ bytesSent: 10, bytesOut: 15 });
    expect((await tunnelLine(gateway)).error).toBeUndefined();
  });

  test('goes at the pace of a slow reader, either way', async () => {
    const size = 64 * 2 ** 20;
    const written = { down: 0, up: 0 };
    const target = await tcpTarget((socket) => {
      socket.pause();
      void write(socket, size, (bytes) => {
        written.down += bytes;
      });
    });
    const gateway = await gatewayFor([target.authority]);
    const { socket } = await askTunnel(gateway.url, target.authority);
    void write(socket, size, (bytes) => {
      written.up += bytes;
    });
    await standstill(() => written.down + written.up);
    // What the kernel and a few chunks of the gateway hold is all that has moved.
    expect(written.down).toBeLessThan(size / 2);
    expect(written.up).toBeLessThan(size / 2);
    const [peer] = target.sockets as [Socket];
    const [down, up] = await Promise.all([rest(socket), rest(peer)]);
    const body = generatedBytes('tunnel', 0, size);
    expect(down.equals(body)).toBe(true);
    expect(up.equals(body)).toBe(true);
    expect(await tunnelLine(gateway)).toMatchObject({ bytesSent: size, bytesOut: size });
  });

  test('a target that breaks off is no end that a client could take for one', async () => {
    const target = await tcpTarget((socket) => void socket.write('half'));
    const gateway = await gatewayFor([target.authority]);
    const { socket } = await askTunnel(gateway.url, target.authority);
    await nextBytes(socket);
    target.sockets[0]?.resetAndDestroy();
    await expect(rest(socket)).rejects.toThrow(/ECONNRESET/);
    expect(await tunnelLine(gateway)).toMatchObject({ error: 'connection_terminated' });
  });

  test('a client that leaves takes its connection to the target along', async () => {
    const target = await tcpTarget((socket) => void socket.write('half'));
    const gateway = await gatewayFor([target.authority]);
    const { socket } = await askTunnel(gateway.url, target.authority);
    const [peer] = target.sockets as [Socket];
    const closed = new Promise((resolve) => peer.once('close', resolve));
    socket.resetAndDestroy();
    await closed;
    expect(await tunnelLine(gateway)).toMatchObject({ aborted: true, status: 200 });
  });

  test('ends when nothing moves for long', async () => {
    const target = await tcpTarget((socket) => void socket.pipe(socket));
    const gateway = await gatewayFor([target.authority], { tunnelIdle: 50 });
    const { socket } = await askTunnel(gateway.url, target.authority);
    await expect(rest(socket)).rejects.toThrow(/ECONNRESET/);
    expect((await tunnelLine(gateway)).detail).toContain('nothing moved');
  });

  test('is a number on the metrics page while it is open', async () => {
    const target = await tcpTarget((socket) => void socket.pipe(socket));
    const gateway = await gatewayFor([target.authority]);
    const count = async () => {
      const { body } = await gateway.client.send(`${gateway.adminUrl}/metrics`);
      return /^millrace_tunnels (\d+)$/m.exec(body.toString())?.[1];
    };
    const { socket } = await askTunnel(gateway.url, target.authority);
    expect(await count()).toBe('1');
    socket.end();
    await tunnelLine(gateway);
    expect(await count()).toBe('0');
  });
});

describe('a tunnel is refused, and the answer says why,', () => {
  test.each([
    ['a private address', '127.0.0.1:443', 'destination_ip_prohibited'],
    ['a private address in another spelling', '0x7f.1:443', 'destination_ip_prohibited'],
    ['a private IPv6 address', '[::1]:443', 'destination_ip_prohibited'],
    ['a name of a private address', 'localhost:443', 'destination_ip_prohibited'],
    ['another port', 'example.com:22', 'http_request_denied'],
  ])('to %s', async (_what, authority, error) => {
    const gateway = await gatewayFor([]);
    const { status, text } = await askTunnel(gateway.url, authority);
    expect(status).toBe(403);
    expect(text).toContain(`error=${error}`);
    expect(text).toMatch(/name (it|.*) in forwardProxy\./);
    expect(await tunnelLine(gateway)).toMatchObject({ outcome: 'refused', error });
  });

  test('beyond loopback to hosts that nobody named', async () => {
    const gateway = await testGateway({
      config: { listen: { host: '0.0.0.0', port: 0 }, forwardProxy: { allow: ['*.example.com'] } },
    });
    const url = gateway.url.replace('0.0.0.0', '127.0.0.1');
    const { status, text } = await askTunnel(url, 'example.org:443');
    expect(status).toBe(403);
    expect(text).toContain('forwardProxy.allow');
  });

  test('to an allowed name whose address nobody allowed for that port', async () => {
    const target = await tcpTarget((socket) => socket.end());
    const gateway = await gatewayFor(['example.com'], { tunnelPorts: [target.port] });
    const { status } = await askTunnel(gateway.url, `localhost:${target.port}`);
    expect(status).toBe(403);
    expect(target.sockets).toHaveLength(0);
  });

  test.each([
    ['example.com'],
    ['example.com:'],
    ['example.com:0'],
    ['example.com:65536'],
    ['example.com:https'],
    ['user@example.com:443'],
    [':443'],
    ['::1:443'],
    ['https://example.com:443/'],
    ['/path:443'],
    ['256.256.256.256:443'],
  ])('to %s, which is no authority', async (authority) => {
    const gateway = await gatewayFor([]);
    const { status } = await askTunnel(gateway.url, authority);
    expect(status).toBe(400);
  });

  test.each([
    ['content', 'Content-Length: 5\r\n'],
    ['a transfer coding', 'Transfer-Encoding: chunked\r\n'],
    ['a second Host', 'Host: example.org\r\n'],
  ])('with %s', async (_what, fields) => {
    const gateway = await gatewayFor(['example.com']);
    const { status } = await askTunnel(gateway.url, 'example.com:443', { fields });
    expect(status).toBe(400);
  });

  test('to a port where nobody listens', async () => {
    const target = await tcpTarget((socket) => socket.end());
    const gateway = await gatewayFor(['127.0.0.1'], { tunnelPorts: [1, target.port] });
    const { status, text } = await askTunnel(gateway.url, '127.0.0.1:1');
    expect(status).toBe(502);
    expect(text).toContain('error=connection_refused; next-hop="127.0.0.1:1"');
    expect(await tunnelLine(gateway)).toMatchObject({ outcome: 'failed', status: 502 });
  });

  test.each([['listener'], ['admin side']])('to the gateway: its %s', async (place) => {
    const gateway = await testGateway({
      config: { forwardProxy: { allow: ['127.0.0.1', '127.0.0.2'] } },
    });
    const { port } = new URL(place === 'listener' ? gateway.url : gateway.adminUrl);
    await gateway.gateway.reload({
      ...gateway.config,
      forwardProxy: { ...gateway.config.forwardProxy, tunnelPorts: [Number(port)] },
    });
    const { status, text } = await askTunnel(gateway.url, `127.0.0.1:${port}`);
    expect(status).toBe(508);
    expect(text).toContain('proxy_loop_detected');
  });

  test('behind a request that is not answered yet', async () => {
    const target = await tcpTarget((socket) => socket.end('never'));
    const gateway = await gatewayFor([target.authority]);
    const answer = await raw(
      gateway.url,
      `GET http://${target.authority}/ HTTP/1.1\r\nHost: x\r\n\r\nCONNECT ${target.authority} HTTP/1.1\r\nHost: x\r\n\r\n`,
    );
    expect(answer).not.toContain('200 Connection established');
  });
});

describe('a shutdown', () => {
  test('ends a tunnel that moves on and on after the grace time', async () => {
    const target = await tcpTarget((socket) => void socket.pipe(socket));
    const gateway = await testGateway({
      config: { shutdownGrace: 500, forwardProxy: { allow: [target.authority] } },
    });
    const { socket } = await askTunnel(gateway.url, target.authority);
    const broken = new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve));
    socket.on('data', () => socket.write('y')).resume();
    socket.write('x');
    await gateway.close();
    expect((await broken).code).toBe('ECONNRESET');
    // On a busy machine it may have stood still for a moment.
    expect((await tunnelLine(gateway)).detail).toMatch(/the shutdown ended|nothing moved/);
  });

  test('waits for no tunnel that stands still', async () => {
    const target = await tcpTarget((socket) => void socket.pipe(socket));
    const gateway = await testGateway({
      config: { shutdownGrace: 600, forwardProxy: { allow: [target.authority] } },
    });
    const { socket } = await askTunnel(gateway.url, target.authority);
    socket.on('error', () => socket.destroy()).resume();
    await gateway.close();
    expect((await tunnelLine(gateway)).detail).toContain('nothing moved');
  });
});

/** Writes that many generated bytes and ends; `left` hears of each piece that the process is rid of. */
async function write(socket: Socket, size: number, left: (bytes: number) => void): Promise<void> {
  const length = 256 * 1024;
  for (let at = 0; at < size; at += length) {
    await new Promise((resolve) => {
      socket.write(generatedBytes('tunnel', at, length), resolve);
    });
    left(length);
  }
  socket.end();
}

/** Resolves when a number has stopped growing for a while. */
async function standstill(read: () => number): Promise<void> {
  let last = 0;
  let since = performance.now();
  await until(() => {
    if (read() !== last) {
      last = read();
      since = performance.now();
    }
    return last > 0 && performance.now() - since > 200;
  });
}

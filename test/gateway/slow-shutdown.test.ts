import { once } from 'node:events';
import { connect as http2Connect } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dataWithAuthority } from '../support/authority.ts';
import { type TestGateway, testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { untilSettled } from '../support/settled.ts';
import { type SlowRelay, slowRelay } from '../support/slow-relay.ts';
import { rest } from '../support/tunnel.ts';

/** More than the system keeps for a connection: the last answers are in the gateway's own buffers. */
const atOnce = 12;
const size = 2 ** 20;
const request = 'GET /files/a HTTP/1.1\r\nHost: x\r\n\r\n';

interface Setup {
  readonly gateway: TestGateway;
  readonly ca: string;
  readonly body: Buffer;
}

/** A gateway that has the body in memory. */
async function setup(config: { fastPath: boolean; shutdownGrace?: number }): Promise<Setup> {
  const origin = await httpOrigin();
  const headers = { 'Cache-Control': 'max-age=60' };
  origin.serve('/a', { body: { seed: 'slow', size }, headers });
  const { data, authority } = await dataWithAuthority();
  const tls = { port: 0, certificate: undefined, key: undefined, names: [] };
  const gateway = await testGateway({
    config: { ...config, data, listen: { tls } },
    mounts: [{ path: '/files', url: origin.url }],
  });
  const { body } = await gateway.get('/files/a');
  await untilSettled(gateway);
  return { gateway, ca: authority.certificate, body };
}

/**
 * Asks one by one until the connection is one of repeated answers, then for many while it is held.
 * Resolves when those are on their way; what comes of them is read from then on.
 */
async function askMany(socket: Socket, relay: SlowRelay): Promise<{ bytes: Promise<Buffer> }> {
  onTestFinished(() => {
    socket.destroy();
  });
  for (let i = 0; i < 3; i += 1) {
    socket.write(request);
    await oneAnswer(socket);
  }
  relay.hold();
  socket.write(request.repeat(atOnce));
  await relay.holds();
  return { bytes: rest(socket) };
}

function oneAnswer(socket: Socket): Promise<void> {
  const chunks: Buffer[] = [];
  return new Promise((resolve) => {
    const take = (chunk: Buffer): void => {
      chunks.push(chunk);
      if (bodiesOf(Buffer.concat(chunks))[0]?.length !== size) return;
      socket.off('data', take);
      resolve();
    };
    socket.on('data', take);
  });
}

/** The bodies of whole answers. */
function bodiesOf(answers: Buffer): Buffer[] {
  const bodies: Buffer[] = [];
  for (let start = 0; start < answers.length; ) {
    const from = answers.indexOf('\r\n\r\n', start, 'latin1') + 4;
    bodies.push(answers.subarray(from, from + size));
    start = from + size;
  }
  return bodies;
}

function expectWhole(bodies: readonly Buffer[], body: Buffer): void {
  expect(bodies).toHaveLength(atOnce);
  for (const each of bodies) expect(each.equals(body)).toBe(true);
}

async function preparedHits(gateway: TestGateway): Promise<number> {
  const { body } = await gateway.client.send(`${gateway.adminUrl}/metrics`);
  const line = /^millrace_cache_lookups_total\{cache="prepared",result="hit"\} (\d+)$/m;
  return Number(line.exec(body.toString())?.[1]);
}

describe('a shutdown does not cut what a slow client has still to take', () => {
  test.each([
    ['repeated answers', true],
    ['answers of the ordinary path', false],
  ])('%s', async (_name, fastPath) => {
    const { gateway, body } = await setup({ fastPath });
    const relay = await slowRelay(gateway.url);
    const [host = '', port] = relay.authority.split(':');
    const { bytes } = await askMany(connect(Number(port), host), relay);
    expect((await preparedHits(gateway)) > 0).toBe(fastPath);
    const closed = gateway.close();
    relay.release();
    expectWhole(bodiesOf(await bytes), body);
    await closed;
  });

  test('answers under TLS', async () => {
    const { gateway, body, ca } = await setup({ fastPath: true });
    const relay = await slowRelay(gateway.secureUrl ?? '');
    const [host = '', port] = relay.authority.split(':');
    const socket = tlsConnect({ host, port: Number(port), ca });
    await once(socket, 'secureConnect');
    const { bytes } = await askMany(socket, relay);
    const closed = gateway.close();
    relay.release();
    expectWhole(bodiesOf(await bytes), body);
    await closed;
  });

  test('answers over HTTP/2', async () => {
    const { gateway, body, ca } = await setup({ fastPath: true });
    const relay = await slowRelay(gateway.secureUrl ?? '');
    const session = http2Connect(`https://${relay.authority}`, {
      ca,
      // It is the connection that is slow, not what the client allows.
      settings: { initialWindowSize: 2 ** 31 - 1 },
    });
    onTestFinished(() => session.destroy());
    await once(session, 'connect');
    session.setLocalWindowSize(2 ** 31 - 1);
    const first = session.request({ ':path': '/files/a' });
    expect((await rest(first)).equals(body)).toBe(true);
    relay.hold();
    const streams = Array.from({ length: atOnce }, () => session.request({ ':path': '/files/a' }));
    const bodies = Promise.all(streams.map(rest));
    await relay.holds();
    const closed = gateway.close();
    relay.release();
    expectWhole(await bodies, body);
    await closed;
  });
});

test('a slow client is not waited for beyond the grace time', async () => {
  const { gateway } = await setup({ fastPath: true, shutdownGrace: 50 });
  const relay = await slowRelay(gateway.url);
  const [host = '', port] = relay.authority.split(':');
  const { bytes } = await askMany(connect(Number(port), host), relay);
  await gateway.close();
  relay.release();
  expect((await bytes.catch(() => Buffer.alloc(0))).length).toBeLessThan(atOnce * size);
});

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { SharedReading } from '../../src/surfaces/shared-reading.ts';
import { expectNoLeaks } from '../support/leaks.ts';
import { until } from '../support/until.ts';

/** Two connections to a server, and the sockets it has of them. */
async function pairs() {
  expectNoLeaks();
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const pair = async () => {
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const client = connect(port, '127.0.0.1');
    const [socket] = await accepted;
    onTestFinished(() => {
      client.destroy();
      socket.destroy();
    });
    return { client, socket };
  };
  onTestFinished(() => void server.close());
  return { one: await pair(), two: await pair() };
}

test('sockets of a server read into one buffer, each hears of its own, and of its end', async () => {
  const { one, two } = await pairs();
  const reading = new SharedReading(1024);
  const { buffer } = reading;
  const heard: string[] = [];
  for (const [name, { socket }] of Object.entries({ one, two })) {
    const took = reading.begin(socket, (length) => {
      heard.push(`${name} ${buffer.toString('latin1', 0, length)}`);
      return true;
    });
    expect(took).toBe(true);
    socket.on('end', () => heard.push(`${name} ended`)).resume();
  }
  one.client.write('a');
  await until(() => heard.length === 1, 'the first');
  two.client.write('b');
  await until(() => heard.length === 2, 'the second');
  one.client.end('c');
  await until(() => heard.length === 4, 'the end of the first');
  expect(heard).toEqual(['one a', 'two b', 'one c', 'one ended']);
});

test('nothing is read into the buffer while the socket is paused', async () => {
  const { one } = await pairs();
  const reading = new SharedReading(4);
  const { buffer } = reading;
  const heard: string[] = [];
  reading.begin(one.socket, (length) => {
    heard.push(buffer.toString('latin1', 0, length));
    one.socket.pause();
    return true;
  });
  one.socket.resume();
  one.client.write('1234567');
  await until(() => heard.length === 1, 'the first piece');
  one.socket.resume();
  await until(() => heard.length === 2, 'the second piece');
  expect(heard).toEqual(['1234', '567']);
});

test('a socket that is not as it is known here is left as it is', async () => {
  const { one } = await pairs();
  const reading = new SharedReading(4);
  const refuse = () => expect.unreachable();
  expect(reading.begin(new Socket(), refuse)).toBe(false);
  const handle: unknown = Reflect.get(one.socket, '_handle');
  const known: unknown = Reflect.get(handle as object, 'onread');
  Reflect.set(handle as object, 'onread', () => undefined);
  expect(reading.begin(one.socket, refuse)).toBe(false);
  Reflect.set(handle as object, 'onread', known);
});

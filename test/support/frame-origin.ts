import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { selfSigned } from './tls/self-signed.ts';

const preface = 24;
const frame = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  window: 8,
} as const;
const endStream = 1;
const endHeaders = 4;
const acknowledged = 1;

/** One request to a frame origin: HTTP/2 by hand, for what no server of good manners does. */
export interface FrameStream {
  readonly id: number;
  /** The how many-th connection, from 1. */
  readonly connection: number;
  /** HEADERS, by literals; `:status` is one of the fields. */
  head(fields: Readonly<Record<string, string>>, end?: 'end'): void;
  data(bytes: string, end?: 'end'): void;
  reset(code: number): void;
  goAway(lastStream: number, code: number): void;
  /** SETTINGS. */
  settings(settings: Readonly<Record<number, number>>): void;
  /** Ends the connection without a word. */
  cut(): void;
  /** The code by which the client gave it up. */
  readonly wasReset: Promise<number>;
  readonly disconnected: Promise<void>;
}

export interface FrameOrigin {
  readonly url: string;
  /** Connections accepted so far. */
  readonly connections: number;
}

/** One for the running test. */
export async function frameOrigin(onRequest: (stream: FrameStream) => void): Promise<FrameOrigin> {
  let connections = 0;
  const sockets = new Set<TLSSocket>();
  const server = createServer({ ...selfSigned, ALPNProtocols: ['h2'] }, (socket) => {
    connections += 1;
    sockets.add(socket);
    serve(socket, connections, onRequest);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
  };
}

function serve(
  socket: TLSSocket,
  connection: number,
  onRequest: (stream: FrameStream) => void,
): void {
  const resets = new Map<number, (code: number) => void>();
  const disconnected = new Promise<void>((resolve) => {
    socket.on('close', () => resolve());
  });
  let received: Buffer = Buffer.alloc(0);
  let at = preface;
  const send = (type: number, flags: number, id: number, payload: Uint8Array): void => {
    if (!socket.destroyed) socket.write(encoded(type, flags, id, payload));
  };
  const stream = (id: number): FrameStream => ({
    id,
    connection,
    head: (fields, end) =>
      send(frame.headers, endHeaders | (end ? endStream : 0), id, literals(fields)),
    data: (bytes, end) => send(frame.data, end ? endStream : 0, id, Buffer.from(bytes, 'utf8')),
    reset: (code) => send(frame.reset, 0, id, numbers(code)),
    goAway: (last, code) => send(frame.goAway, 0, 0, numbers(last, code)),
    settings: (settings) => send(frame.settings, 0, 0, pairs(settings)),
    cut: () => socket.destroy(),
    wasReset: new Promise((resolve) => resets.set(id, resolve)),
    disconnected,
  });
  send(frame.settings, 0, 0, Buffer.alloc(0));
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes]);
    while (received.length >= at + 9) {
      const length = received.readUIntBE(at, 3);
      if (received.length < at + 9 + length) return;
      const [type, flags, id] = [received[at + 3], received[at + 4], received.readUInt32BE(at + 5)];
      const payload = received.subarray(at + 9, at + 9 + length);
      received = received.subarray(at + 9 + length);
      at = 0;
      const isAnswer = ((flags ?? 0) & acknowledged) !== 0;
      if (type === frame.settings && !isAnswer) send(type, acknowledged, 0, Buffer.alloc(0));
      else if (type === frame.ping && !isAnswer) send(type, acknowledged, 0, payload);
      else if (type === frame.headers) onRequest(stream(id));
      else if (type === frame.reset) resets.get(id)?.(payload.readUInt32BE(0));
    }
  });
}

/** RFC 9113 section 4.1. */
function encoded(type: number, flags: number, id: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, payload]);
}

function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, i * 4);
  return bytes;
}

function pairs(settings: Readonly<Record<number, number>>): Buffer {
  return Buffer.concat(
    Object.entries(settings).map(([key, value]) => {
      const bytes = Buffer.alloc(6);
      bytes.writeUInt16BE(Number(key), 0);
      bytes.writeUInt32BE(value, 2);
      return bytes;
    }),
  );
}

/** Fields as literals that are not indexed. RFC 7541 section 6.2.2. */
function literals(fields: Readonly<Record<string, string>>): Buffer {
  const text = (value: string): Buffer =>
    Buffer.concat([Buffer.from([Buffer.byteLength(value)]), Buffer.from(value)]);
  return Buffer.concat(
    Object.entries(fields).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]),
  );
}

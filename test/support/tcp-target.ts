import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A plain TCP server on loopback; the sockets it took can be half closed. */
export interface TcpTarget {
  readonly port: number;
  /** `127.0.0.1:port` */
  readonly authority: string;
  readonly sockets: readonly Socket[];
}

/** One for the running test. */
export async function tcpTarget(serve: (socket: Socket) => void): Promise<TcpTarget> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    // A broken tunnel is what some tests are about.
    socket.on('error', () => socket.destroy());
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  return { port, authority: `127.0.0.1:${port}`, sockets };
}

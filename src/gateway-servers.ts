import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** Whether a connection goes to one of these servers, by whichever address of this host. */
export function leadsTo(socket: Socket, servers: readonly Server[]): boolean {
  const { remoteAddress = '', localAddress, remotePort } = socket;
  const here = remoteAddress === localAddress || /^(127\.|::1$|::ffff:127\.)/.test(remoteAddress);
  const ports = servers.map((server) => (server.address() as AddressInfo | null)?.port);
  return here && ports.includes(remotePort);
}

/** Resolves with the URL of the server; rejects with Node's error. */
export function listenOn(
  server: Server,
  { host, port }: { host: string; port: number },
): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const bound = server.address() as AddressInfo;
      const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
      resolve(`http://${name}:${bound.port}`);
    });
  });
}

/** Idle connections end at once, busy ones when they are done, at the latest after the grace time. */
export function closeServer(server: Server, graceMs: number): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => {
    // A connection whose last response goes out now is idle only after that.
    const idle = setInterval(() => server.closeIdleConnections(), 20);
    const deadline = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearInterval(idle);
      clearTimeout(deadline);
      resolve();
    });
  });
}

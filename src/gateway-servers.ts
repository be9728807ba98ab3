import type { Server } from 'node:http';
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';
import type { Logger } from './core/logger.ts';
import type { Terminator } from './surfaces/secure-connections.ts';

/** Rejects with Node's error where the port is not to be had; resolves with the URL. */
export function listenOn(
  server: NetServer,
  { host, port }: { host: string; port: number },
  scheme = 'http',
): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const bound = server.address() as AddressInfo;
      const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
      resolve(`${scheme}://${name}:${bound.port}`);
    });
  });
}

/**
 * Stops listening. Idle connections end at once, busy ones when they are done, at the latest after
 * the grace time; those that `others` took may be served by `http`, too.
 */
export async function closeServers(
  http: Server,
  others: readonly NetServer[],
  graceMs: number,
): Promise<void> {
  // A connection whose last response goes out now is idle only after that.
  const idle = setInterval(() => http.closeIdleConnections(), 20);
  const deadline = setTimeout(() => http.closeAllConnections(), graceMs);
  await Promise.all([http, ...others].map(closed));
  clearInterval(idle);
  clearTimeout(deadline);
}

function closed(server: NetServer): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Whether a connection goes to one of these servers, by whichever address of this host. */
export function leadsTo(socket: Socket, servers: readonly NetServer[]): boolean {
  const { remoteAddress = '', localAddress, remotePort } = socket;
  const here = remoteAddress === localAddress || /^(127\.|::1$|::ffff:127\.)/.test(remoteAddress);
  const ports = servers.map((server) => (server.address() as AddressInfo | null)?.port);
  return here && ports.includes(remotePort);
}

/** The HTTPS listener: what it takes goes to the terminator of the moment. */
export function createSecureListener(
  terminator: () => (() => Promise<Terminator>) | undefined,
  log: Logger,
): NetServer {
  return createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
    const client = socket.remoteAddress;
    // Until there is a certificate nobody else listens.
    const broke = (): void => void socket.destroy();
    socket.on('error', broke);
    const take = async (): Promise<void> => {
      const made = await terminator()?.();
      if (made === undefined || socket.destroyed) {
        socket.destroy();
        return;
      }
      socket.off('error', broke);
      made.take(socket, {
        unused: (reason) => {
          if (reason !== 'left') log.info({ reason, client }, 'no TLS with a client');
        },
      });
    };
    take().catch((err: unknown) => {
      log.error({ err }, 'no certificate for the HTTPS listener');
      socket.destroy();
    });
  });
}

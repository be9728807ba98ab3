import type { Socket } from 'node:net';
import { type ConnectOptions, connector } from './transport-connect.ts';
import { toGatewayError } from './transport-errors.ts';

/** A place that a tunnel goes to. */
export interface TunnelTarget {
  /** With brackets around IPv6, as URLs have it. */
  readonly hostname: string;
  readonly port: number;
  /** Without it private addresses are refused, whatever the name resolves to. */
  readonly trusted: boolean;
}

/**
 * A plain connection to the target that can be half closed. Rejects with a GatewayError; aborting the
 * signal before it is there gives it up.
 */
export function openTunnel(
  { hostname, port, trusted }: TunnelTarget,
  options: ConnectOptions,
  signal: AbortSignal,
): Promise<Socket> {
  const connect = connector(`http://${hostname}:${port}`, trusted, {
    ...options,
    allowHalfOpen: true,
  });
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      socket.destroy();
    };
    const socket = connect((error, connected) => {
      signal.removeEventListener('abort', giveUp);
      if (connected !== undefined) resolve(connected);
      else reject(toGatewayError(error, 'connecting'));
    });
    signal.addEventListener('abort', giveUp);
    if (signal.aborted) giveUp();
  });
}

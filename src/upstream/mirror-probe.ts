import type { Socket } from 'node:net';
import type { GatewayError } from '../core/errors.ts';
import { type ConnectOptions, connector } from './transport-connect.ts';
import { toGatewayError } from './transport-errors.ts';

export interface ReachableOptions {
  readonly connecting: ConnectOptions;
  /** Ends it early, without a word on those that are left. */
  readonly signal: AbortSignal;
  /** Hears of each connection that was opened, and how long that took. */
  readonly onConnect: (origin: string, milliseconds: number) => void;
}

/** At a time. */
const mostProbes = 8;

/**
 * Those of the origins that no connection can be opened to; the value says whether a private address
 * will do. No request is sent: nobody's log or limit hears of it.
 */
export async function* unreachable(
  origins: ReadonlyMap<string, boolean>,
  { connecting, signal, onConnect }: ReachableOptions,
): AsyncGenerator<{ readonly origin: string; readonly error: GatewayError }> {
  const waiting = [...origins];
  while (waiting.length > 0 && !signal.aborted) {
    const probes = waiting.splice(0, mostProbes).map(async ([origin, trusted]) => {
      const started = performance.now();
      const error = await probe(origin, trusted, connecting, signal);
      if (error === undefined) onConnect(origin, performance.now() - started);
      return { origin, error };
    });
    for (const { origin, error } of await Promise.all(probes)) {
      if (error !== undefined && !signal.aborted) yield { origin, error };
    }
  }
}

function probe(
  origin: string,
  trusted: boolean,
  connecting: ConnectOptions,
  signal: AbortSignal,
): Promise<GatewayError | undefined> {
  return new Promise((resolve) => {
    const opening: Socket = connector(
      origin,
      trusted,
      connecting,
    )((error, socket) => {
      signal.removeEventListener('abort', stop);
      socket?.destroy();
      resolve(error === undefined ? undefined : toGatewayError(error, 'connecting'));
    });
    const stop = (): void => void opening.destroy();
    signal.addEventListener('abort', stop, { once: true });
  });
}

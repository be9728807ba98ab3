import { connect, type Socket } from 'node:net';
import { tcpTarget } from './tcp-target.ts';
import { until } from './until.ts';

/** What stands between a client and a server, and passes on nothing of the server's while it is held. */
export interface SlowRelay {
  readonly authority: string;
  hold(): void;
  /** Resolves when the server has begun to say something that is held. */
  holds(): Promise<void>;
  release(): void;
}

/** One for the running test, in front of the server of that URL. */
export async function slowRelay(url: string): Promise<SlowRelay> {
  const { hostname, port } = new URL(url);
  const ways: { server: Socket; client: Socket }[] = [];
  const { authority } = await tcpTarget((client) => {
    const server = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    ways.push({ server, client });
    server.on('error', () => client.destroy());
    client.once('close', () => server.destroy());
    client.pipe(server).pipe(client);
  });
  return {
    authority,
    hold: () => {
      for (const { server } of ways) server.unpipe().pause();
    },
    holds: () => until(() => ways.some(({ server }) => server.readableLength > 0), 'an answer'),
    release: () => {
      for (const { server, client } of ways) server.pipe(client);
    },
  };
}

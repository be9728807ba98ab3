import { connect, type Socket } from 'node:net';
import { split } from './mutate.ts';
import type { Random } from './random.ts';
import type { Ending } from './strict-response.ts';

/** Longest that a connection may take from its first byte to its end; milliseconds. */
const limitMs = 30_000;
/** A pause in what comes, in which a client looks whether it has all. */
const pauseMs = 30;
/** After this long without a byte a client says that it has said all: what it gets then may be cut off. */
const quietMs = 2500;

/** How a client behaves once it has sent all. */
export type Manners = 'polite' | 'hasty' | 'gone' | 'impatient' | 'deaf';

/** What a client says, and when it has heard enough. */
export interface Saying {
  readonly port: number;
  /** latin1. */
  readonly text: string;
  readonly manners: Manners;
  /** Whether these bytes answer all that was asked. */
  answered(received: Buffer): boolean;
}

/** What became of a connection. `stuck`: it had to be broken off. */
export interface Exchange {
  readonly received: Buffer;
  readonly ending: Ending | 'stuck' | 'refused';
}

/** Mostly polite: the others leave little to check but the gateway itself. */
export function someManners(random: Random): Manners {
  return random.chance(0.8) ? 'polite' : random.pick(['hasty', 'gone', 'impatient', 'deaf']);
}

/** Sends the text in pieces and takes what comes until the connection ends. */
export async function exchange(
  { port, text, manners, answered }: Saying,
  random: Random,
): Promise<Exchange> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true });
  const chunks: Buffer[] = [];
  let ending: Exchange['ending'] = 'refused';
  let received = 0;
  let quietSince = performance.now();
  const patience = random.below(200_000);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const connected = new Promise<void>((resolve) => {
    socket.once('connect', () => {
      ending = 'left';
      resolve();
    });
  });
  socket.on('error', () => {
    if (ending === 'left') ending = 'reset';
    socket.destroy();
  });
  socket.on('end', () => {
    ending = 'closed';
    socket.end();
  });
  if (manners !== 'deaf') {
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      received += chunk.length;
      quietSince = performance.now();
      if (manners === 'impatient' && received > patience) socket.resetAndDestroy();
    });
  }
  const limit = setTimeout(() => {
    ending = 'stuck';
    socket.destroy();
  }, limitMs);
  // Who has nothing to say has come nevertheless.
  await Promise.race([connected, closed]);
  for (const piece of split(text, random)) await write(socket, piece);
  const look = setInterval(() => {
    const quiet = performance.now() - quietSince;
    if (quiet < pauseMs) return;
    if (quiet < quietMs && !answered(Buffer.concat(chunks))) return;
    clearInterval(look);
    socket.end();
  }, pauseMs);
  if (manners === 'hasty') socket.end();
  if (manners === 'gone') socket.destroy();
  if (manners === 'deaf') setTimeout(() => socket.destroy(), random.below(300));
  await closed;
  clearInterval(look);
  clearTimeout(limit);
  return { received: Buffer.concat(chunks), ending };
}

/** Resolves when the piece has left, or the connection has. */
function write(socket: Socket, piece: string): Promise<void> {
  return new Promise((resolve) => {
    socket.write(piece, 'latin1', () => resolve());
  });
}

import type { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { bytesAt, type GeneratedBody } from '../fixtures/generated-body.ts';
import { monotonicMs } from '../processes/monotonic.ts';

const pieceBytes = 256 * 1024;
/** How often a paced body goes on. */
const tickMs = 5;

export interface Sending {
  readonly body: GeneratedBody;
  /** First position, and the one after the last. */
  readonly from: number;
  readonly to: number;
  /** Bytes a second; undefined: as fast as the socket takes them. */
  readonly pace: number | undefined;
  readonly sent: (bytes: number) => void;
}

/** Writes a part of a generated body; resolves when it is out or the socket is closed. */
export async function sendBody(
  socket: Socket,
  { body, from, to, pace, sent }: Sending,
): Promise<void> {
  const startedAt = monotonicMs();
  let position = from;
  while (position < to && !socket.destroyed) {
    const due =
      pace === undefined ? to : Math.min(to, from + ((monotonicMs() - startedAt) * pace) / 1000);
    // All that is due at once, then a pause: not a packet for every byte that falls due meanwhile.
    for (let end = Math.floor(due); position < end && !socket.destroyed; ) {
      const piece = bytesAt(body, position, Math.min(pieceBytes, end - position));
      position += piece.length;
      sent(piece.length);
      if (!socket.write(piece)) await drained(socket);
    }
    if (position < to) await setTimeout(tickMs);
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.once('drain', done);
    socket.once('close', done);
  });
}

import { connect, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';

/** What a proxy says to a CONNECT, and the connection. */
export interface AnsweredConnect {
  readonly status: number;
  /** The head as text, and the body of a refusal as far as it came along. */
  readonly text: string;
  readonly socket: Socket;
}

/** Asks a proxy for a tunnel; `early` follows the request's head at once. */
export function askTunnel(
  proxy: string,
  authority: string,
  { fields = '', early = '' }: { fields?: string; early?: string | Buffer } = {},
): Promise<AnsweredConnect> {
  const { hostname, port } = new URL(proxy);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  onTestFinished(() => {
    socket.destroy();
  });
  const head = `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${fields}\r\n`;
  socket.write(Buffer.concat([Buffer.from(head), Buffer.from(early)]));
  return new Promise((resolve, reject) => {
    let text = '';
    const take = (chunk: Buffer): void => {
      const end = chunk.indexOf('\r\n\r\n');
      text += chunk.toString('latin1');
      if (!text.includes('\r\n\r\n')) return;
      socket.off('data', take).pause().off('error', reject);
      // What a tunnel brings right behind its head.
      const rest = chunk.subarray(end + 4);
      const status = Number(text.split(' ')[1]);
      if (status === 200 && rest.length > 0) socket.unshift(rest);
      resolve({ status, text, socket });
    };
    socket.on('data', take);
    socket.on('error', reject);
    socket.once('close', () => reject(new Error(`closed without an answer: ${text}`)));
  });
}

/** The next bytes that come. */
export function nextBytes(socket: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket
      .once('data', (chunk: Buffer) => {
        socket.off('error', reject);
        resolve(chunk);
      })
      .resume();
  });
}

/** All that still comes until the other side ends; rejects when it breaks off. */
export function rest(socket: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    socket
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .once('end', () => resolve(Buffer.concat(chunks)))
      .once('error', reject)
      .resume();
  });
}

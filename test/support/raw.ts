import { connect } from 'node:net';

/**
 * Sends bytes (latin1) as they are and reads until the other side closes; several pieces go one by
 * one, each when the one before has left.
 */
export async function raw(url: string, ...pieces: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  // A refusal may come as a reset after the answer.
  socket.on('error', () => socket.destroy());
  const closed = new Promise((resolve) => socket.once('close', resolve));
  for (const piece of pieces) {
    await new Promise<void>((resolve) => {
      socket.write(piece, 'latin1', () => resolve());
    });
  }
  await closed;
  return text;
}

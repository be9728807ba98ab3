import type { Socket } from 'node:net';

/**
 * A copy of what Node's HTTP parser of this socket is reading while it calls: all of one read. Undefined
 * where Node is not as it is known here.
 */
export function parsedChunk(socket: Socket): Buffer | undefined {
  const parser: unknown = Reflect.get(socket, 'parser');
  if (typeof parser !== 'object' || parser === null) return undefined;
  const current: unknown = Reflect.get(parser, 'getCurrentBuffer');
  const chunk: unknown = typeof current === 'function' ? current.call(parser) : undefined;
  return Buffer.isBuffer(chunk) ? chunk : undefined;
}

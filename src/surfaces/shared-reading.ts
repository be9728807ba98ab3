import type { Socket } from 'node:net';

/** What Node's `onread` option sets on a socket, which a server's sockets cannot be made with. */
const symbolNames = ['kBuffer', 'kBufferCb', 'kBufferGen'] as const;

/** Takes what stands in the buffer; false: no more for now. */
export type OnRead = (length: number) => boolean;

/**
 * Makes a socket of a server's read into `buffer`, as Node's `onread` option does with a client's: it
 * may be shared, for `onRead` takes what is in it before it returns. Without that each read takes 64 KiB
 * of memory and gives most of it back. False, and nothing is done, where Node is not as it is known here.
 */
export function readInto(socket: Socket, buffer: Buffer, onRead: OnRead): boolean {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null || !consultsBuffer(handle)) return false;
  const useUserBuffer: unknown = Reflect.get(handle, 'useUserBuffer');
  const [bufferKey, callbackKey, ...others] = symbolNames.map((name) => nullField(socket, name));
  if (typeof useUserBuffer !== 'function' || others.includes(undefined)) return false;
  if (bufferKey === undefined || callbackKey === undefined) return false;
  if (useUserBuffer.call(handle, buffer) !== 0) return false;
  Reflect.set(socket, bufferKey, buffer);
  Reflect.set(socket, callbackKey, onRead);
  return true;
}

/** Whether this Node's reader of streams asks what it was given to read into. */
function consultsBuffer(handle: object): boolean {
  const onread: unknown = Reflect.get(handle, 'onread');
  if (typeof onread !== 'function') return false;
  return /stream\[kBufferCb\]\(nread, \w+\) !== false/.test(
    Function.prototype.toString.call(onread),
  );
}

/** A field of that symbol that is there and not set. */
function nullField(socket: Socket, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(socket).find(
    (symbol) => symbol.description === description && Reflect.get(socket, symbol) === null,
  );
}

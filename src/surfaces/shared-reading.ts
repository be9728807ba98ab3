import type { Socket } from 'node:net';

/** What Node's `onread` option sets on a socket, which a server's sockets cannot be made with. */
const symbolNames: ReadonlySet<string | undefined> = new Set([
  'kBuffer',
  'kBufferCb',
  'kBufferGen',
]);

/** Takes what stands in the buffer; false: no more for now. */
export type OnRead = (length: number) => boolean;

/**
 * One buffer that the sockets of a server read into, as Node's `onread` option has it with a client's:
 * without it each read takes 64 KiB of memory and gives most of it back.
 */
export class SharedReading {
  readonly buffer: Buffer;
  /** The reader of streams that is known to ask what it was given to read into. */
  #onread: unknown;

  /** `bytes`: the most that is read at once. */
  constructor(bytes: number) {
    this.buffer = Buffer.allocUnsafeSlow(bytes);
  }

  /**
   * Makes a socket read into the buffer; `onRead` takes what is in it before it returns. False, and
   * nothing is done, where Node is not as it is known here.
   */
  begin(socket: Socket, onRead: OnRead): boolean {
    const handle: unknown = Reflect.get(socket, '_handle');
    if (typeof handle !== 'object' || handle === null || !this.#isKnown(handle)) return false;
    const useUserBuffer: unknown = Reflect.get(handle, 'useUserBuffer');
    const fields = Object.getOwnPropertySymbols(socket).filter(
      (symbol) => symbolNames.has(symbol.description) && Reflect.get(socket, symbol) === null,
    );
    if (typeof useUserBuffer !== 'function' || fields.length !== symbolNames.size) return false;
    if (useUserBuffer.call(handle, this.buffer) !== 0) return false;
    for (const field of fields) {
      if (field.description === 'kBuffer') Reflect.set(socket, field, this.buffer);
      if (field.description === 'kBufferCb') Reflect.set(socket, field, onRead);
    }
    return true;
  }

  #isKnown(handle: object): boolean {
    const onread: unknown = Reflect.get(handle, 'onread');
    if (typeof onread !== 'function') return false;
    if (onread === this.#onread) return true;
    const source = Function.prototype.toString.call(onread);
    if (!/stream\[kBufferCb\]\(nread, \w+\) !== false/.test(source)) return false;
    this.#onread = onread;
    return true;
  }
}

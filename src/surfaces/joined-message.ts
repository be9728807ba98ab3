/** Up to this size head and body are joined in one buffer; beyond, two to write cost less than a copy. */
export const joinedBytes = 4 * 1024;

/** Head and body in one buffer; kept from the second time on that both are the same. */
export class JoinedMessage {
  #head: Uint8Array | undefined;
  #body: Uint8Array | undefined;
  #message: Buffer | undefined;

  of(head: Uint8Array, body: Uint8Array): Buffer {
    const again = head === this.#head && body === this.#body;
    if (again && this.#message !== undefined) return this.#message;
    const length = head.length + body.length;
    // One that is kept must not keep a whole pool with it.
    const message = again ? Buffer.allocUnsafeSlow(length) : Buffer.allocUnsafe(length);
    message.set(head);
    message.set(body, head.length);
    this.#head = head;
    this.#body = body;
    this.#message = again ? message : undefined;
    return message;
  }
}

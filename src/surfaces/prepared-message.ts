/** Up to this size head and body are joined in one buffer; beyond, two to write cost less than a copy. */
export const joinedBytes = 4 * 1024;

/** A field's value in the head's text: where it begins, and its length. */
export interface ValuePlace {
  readonly at: number;
  readonly length: number;
}

/**
 * The bytes of an answer that is sent again and again: a head, and behind it a small body from the
 * second time on that it is sent. The values that change are written in the place of those before
 * them, so that saying another age makes nothing new. Bytes that are still on their way to a client
 * never change: whoever writes them to a socket that does not take all at once says so (`lend`).
 */
export class PreparedMessage {
  readonly #places: readonly ValuePlace[];
  readonly #headLength: number;
  /** The head, or head and body. */
  #bytes: Buffer;
  #sentWithBody = false;
  #lent = false;

  /** `head` is Latin-1; `places`, of the values that change. */
  constructor(head: string, places: readonly ValuePlace[]) {
    this.#places = places;
    this.#headLength = head.length;
    // What is kept must not keep a whole pool with it.
    this.#bytes = Buffer.allocUnsafeSlow(head.length);
    this.#bytes.write(head, 'latin1');
  }

  get head(): Buffer {
    const bytes = this.#bytes;
    return bytes.length === this.#headLength ? bytes : bytes.subarray(0, this.#headLength);
  }

  /** Head and body, which is the same each time. */
  with(body: Uint8Array): Buffer {
    const bytes = this.#bytes;
    const head = this.#headLength;
    if (bytes.length > head || body.length === 0) return bytes;
    const length = head + body.length;
    const message = this.#sentWithBody
      ? Buffer.allocUnsafeSlow(length)
      : Buffer.allocUnsafe(length);
    message.set(bytes);
    message.set(body, head);
    if (this.#sentWithBody) this.#bytes = message;
    this.#sentWithBody = true;
    return message;
  }

  /** What was written is still on its way: it stays as it is, and the next values get bytes of their own. */
  lend(): void {
    this.#lent = true;
  }

  /** Writes the values, one for each place; false, and nothing is written, when one has another length. */
  renew(values: readonly string[]): boolean {
    const places = this.#places;
    for (let i = 0; i < places.length; i += 1) {
      if (values[i]?.length !== places[i]?.length) return false;
    }
    if (this.#lent) this.#bytes = copy(this.#bytes);
    this.#lent = false;
    for (let i = 0; i < places.length; i += 1) {
      put(this.#bytes, places[i]?.at ?? 0, values[i] ?? '');
    }
    return true;
  }
}

function copy(bytes: Buffer): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.length);
  own.set(bytes);
  return own;
}

/** For a few characters a loop is less than a call of the runtime. */
function put(bytes: Buffer, at: number, text: string): void {
  for (let i = 0; i < text.length; i += 1) bytes[at + i] = text.charCodeAt(i);
}

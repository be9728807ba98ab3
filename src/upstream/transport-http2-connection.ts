import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type SecureClientSessionOptions,
} from 'node:http2';
import type { Socket } from 'node:net';
import { keepAliveTimeoutMs, maxHeaderSize } from './transport-pool.ts';

/** What a stream may have in flight: 50 MB/s at 20 ms; a paused one holds no more in memory. */
const streamWindow = 1024 * 1024;
/** Of the connection, which is only ever as full as its streams let it. */
const connectionWindow = 16 * 1024 * 1024;
/** As many fields as Node's HTTP/1.1 parser takes. */
const maxFields = 2000;

export interface ConnectionEvents {
  /** Another stream may find a place. */
  readonly onRoom: () => void;
  /** No stream finds a place on it any more. */
  readonly onClosed: (connection: Http2Connection) => void;
}

/** One connection that speaks HTTP/2, and the streams on it. RFC 9113. */
export class Http2Connection {
  readonly #session: ClientHttp2Session;
  readonly #socket: Socket;
  readonly #onClosed: ConnectionEvents['onClosed'];
  #streams = 0;
  #requests = 0;
  #retired = false;
  /** Streams at a time. RFC 9113 section 6.5.2. */
  #limit: number | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(origin: string, socket: Socket, { onRoom, onClosed }: ConnectionEvents) {
    this.#socket = socket;
    this.#onClosed = onClosed;
    const options: SecureClientSessionOptions & { readonly strictSingleValueFields: boolean } = {
      createConnection: () => socket,
      maxHeaderListPairs: maxFields,
      // What was repeated by the client is for the upstream to judge, as over HTTP/1.1.
      strictSingleValueFields: false,
      settings: {
        enablePush: false,
        initialWindowSize: streamWindow,
        maxHeaderListSize: maxHeaderSize,
      },
    };
    this.#session = connect(origin, options);
    this.#session.once('connect', () => this.#session.setLocalWindowSize(connectionWindow));
    this.#session.on('remoteSettings', ({ maxConcurrentStreams = Number.POSITIVE_INFINITY }) => {
      this.#limit = maxConcurrentStreams;
      onRoom();
    });
    this.#session.on('goaway', () => this.retire());
    this.#session.on('close', () => this.#closed());
    // Each of its streams hears of it, too, and tells whoever waits.
    this.#session.on('error', () => this.retire());
    this.#rest();
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#streams;
  }

  /** Streams that were opened so far. */
  get requests(): number {
    return this.#requests;
  }

  /** Whether it takes new streams, and the upstream has not closed it. */
  get isUp(): boolean {
    return !this.#retired && !this.#session.closed && !this.#session.destroyed;
  }

  get hasRoom(): boolean {
    // The first one may wait: a limit of none is one that will be raised.
    return this.isUp && this.#streams < Math.max(1, this.#limit ?? 1);
  }

  /** The upstream has not yet said how many streams it takes: what is more than that it refuses. */
  get isSettling(): boolean {
    return this.isUp && this.#limit === undefined;
  }

  /** A place for one stream; `leave` gives it back. */
  enter(): void {
    this.#streams += 1;
    clearTimeout(this.#idle);
  }

  leave(): void {
    this.#streams -= 1;
    if (this.#streams > 0) return;
    if (this.isUp) this.#rest();
    else this.#session.destroy();
  }

  /** Sends a request: pseudo-fields first, names in lower case. Throws what Node refuses to write. */
  open(fields: readonly string[], endStream: boolean): ClientHttp2Stream {
    this.#requests += 1;
    return this.#session.request([...fields], { endStream });
  }

  /** Takes no more streams; those that are open go on to their end. */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    this.#onClosed(this);
    if (this.#streams === 0) this.#session.destroy();
  }

  /** Ends it with all its streams; resolves when its socket is closed. */
  async destroy(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      if (this.#socket.closed) resolve();
      else this.#socket.once('close', () => resolve());
    });
    this.#session.destroy();
    await closed;
  }

  #closed(): void {
    clearTimeout(this.#idle);
    this.retire();
  }

  #rest(): void {
    this.#idle = setTimeout(() => this.retire(), keepAliveTimeoutMs).unref();
  }
}

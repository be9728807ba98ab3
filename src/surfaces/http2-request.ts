import { IncomingMessage } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';

/** A request of an HTTP/2 stream in the form that requests of HTTP/1.1 have. RFC 9113 section 8.3.1. */
export class Http2Request extends IncomingMessage {
  readonly #stream: ServerHttp2Stream;

  constructor(stream: ServerHttp2Stream, socket: Socket, received: readonly string[]) {
    super(socket);
    this.#stream = stream;
    this.httpVersion = '2.0';
    this.httpVersionMajor = 2;
    this.httpVersionMinor = 0;
    const { pseudo, fields } = divide(received);
    this.method = pseudo.get(':method') ?? '';
    this.url = pseudo.get(':path') ?? '';
    const authority = pseudo.get(':authority');
    this.rawHeaders = withHost(fields, authority);
    // Frames delimit the body; what the request says in HTTP/1.1 has to say that there is one.
    const hasLength = fields.some((text, at) => at % 2 === 0 && text === 'content-length');
    if (!stream.endAfterHeaders && !hasLength) this.rawHeaders.push('transfer-encoding', 'chunked');
    this.headers = combined(this.rawHeaders);
    this.complete = stream.endAfterHeaders;
    stream.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) stream.pause();
    });
    stream.once('end', () => {
      this.complete = true;
      this.push(null);
    });
    stream.once('close', () => {
      if (!this.complete) this.destroy();
    });
    stream.pause();
  }

  override _read(): void {
    this.#stream.resume();
  }

  /** Node's own would close the connection, which has other streams. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.complete) {
      this.aborted = true;
      this.emit('aborted');
    }
    done(error);
  }
}

function divide(received: readonly string[]) {
  const pseudo = new Map<string, string>();
  const fields: string[] = [];
  const cookies: string[] = [];
  for (let i = 0; i + 1 < received.length; i += 2) {
    const name = received[i] as string;
    const value = received[i + 1] as string;
    if (name.startsWith(':')) pseudo.set(name, value);
    else if (name === 'cookie') cookies.push(value);
    else fields.push(name, value);
  }
  // RFC 9113 section 8.2.3: in HTTP/1.1 it is one field.
  if (cookies.length > 0) fields.push('cookie', cookies.join('; '));
  return { pseudo, fields };
}

/** RFC 9113 section 8.3.1: `:authority` is the Host of HTTP/1.1; a different one besides makes two. */
function withHost(fields: readonly string[], authority: string | undefined): string[] {
  if (authority === undefined) return [...fields];
  const others: string[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] as string;
    const value = fields[i + 1] as string;
    if (name !== 'host' || value !== authority) others.push(name, value);
  }
  return ['host', authority, ...others];
}

function combined(fields: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] as string;
    const before = headers[name];
    headers[name] =
      before === undefined ? (fields[i + 1] as string) : `${before}, ${fields[i + 1]}`;
  }
  return headers;
}

import type { IncomingMessage } from 'node:http';
import { constants, type ServerHttp2Stream, type ServerStreamResponseOptions } from 'node:http2';
import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import type { ClientResponse } from './client-response.ts';

/** RFC 9113 section 8.2.2: HTTP/2 has no fields that concern a connection. */
const ofConnections: ReadonlySet<string> = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
]);

/** A response on an HTTP/2 stream. One that is destroyed before its end is reset, never ended. */
export class Http2Response extends Writable implements ClientResponse {
  readonly req: IncomingMessage;
  readonly socket: Socket;
  sendDate = true;
  shouldKeepAlive = true;
  readonly #stream: ServerHttp2Stream;
  #broken = false;

  constructor(stream: ServerHttp2Stream, request: IncomingMessage) {
    super();
    this.req = request;
    this.socket = request.socket;
    this.#stream = stream;
    stream.once('close', () => this.destroy());
    // The stream closes then, too.
    stream.on('error', () => this.destroy());
    // Node ends a stream before it resets it, and a body of no known length would be whole then: so the
    // end is said here, behind the last byte, and only when it is one.
    stream.once('wantTrailers', () => {
      if (!this.#broken) stream.sendTrailers({});
    });
    this.once('finish', () => {
      // RFC 9113 section 8.1: the rest of a request that is answered is not wanted.
      if (!request.complete) stream.close(constants.NGHTTP2_NO_ERROR);
    });
  }

  get headersSent(): boolean {
    return this.#stream.headersSent;
  }

  writeInformation(status: number, headers: readonly string[]): void {
    if (this.#stream.destroyed || this.#stream.closed) return;
    const fields: Record<string, string[]> = {};
    for (const [name, value] of ofStreams(headers)) {
      fields[name] = [...(fields[name] ?? []), value];
    }
    this.#stream.additionalHeaders({ ...fields, ':status': status });
  }

  writeHead(status: number, headers: readonly string[]): void {
    // The client has gone, and that is known by the next event.
    if (this.#stream.destroyed || this.#stream.closed) return;
    const options: ServerStreamResponseOptions & { sendDate: boolean } = {
      sendDate: this.sendDate,
      waitForTrailers: true,
    };
    this.#stream.respond([':status', String(status), ...ofStreams(headers).flat()], options);
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#stream.destroyed || this.#stream.writableEnded) done();
    else this.#stream.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    // A response without a body ended with its head.
    if (this.#stream.destroyed || this.#stream.writableEnded) done();
    else this.#stream.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.writableFinished && !this.#stream.closed) {
      this.#broken = true;
      this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    }
    done(error);
  }
}

/** Fields as HTTP/2 has them: names in lower case, none of a connection. */
function ofStreams(headers: readonly string[]): [string, string][] {
  const fields: [string, string][] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    if (!ofConnections.has(name)) fields.push([name, headers[i + 1] as string]);
  }
  return fields;
}

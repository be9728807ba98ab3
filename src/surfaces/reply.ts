import type { Socket } from 'node:net';
import type { BodyReader } from '../core/body.ts';
import { GatewayError } from '../core/errors.ts';
import { fieldValue, type RawHeaders } from '../core/raw-headers.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { Answer } from '../pipeline/answer.ts';
import { endToEnd } from '../policy/headers.ts';
import { answerFields } from './answer-fields.ts';
import type { ClientResponse } from './client-response.ts';
import { statusOf } from './error-status.ts';
import { reset } from './joined-sockets.ts';
import type { ResponseFields } from './response-fields.ts';

/** Why the signal aborts, made once: an error of its own would cost more than the rest of a hit. */
const over = new GatewayError('client_gone', 'the client is gone', { origin: 'client' });

/** One response on its way to a client, and the record of it. */
export class Reply {
  readonly #response: ClientResponse;
  readonly #record: RequestRecord;
  readonly #fields: ResponseFields;
  readonly #now: () => number;
  #over = false;
  /** For who wants to hear of that: few do, and it would cost every request. */
  #left: AbortController | undefined;
  #written: (() => void) | undefined;
  #bytesIn: (() => number) | undefined;
  #reader: BodyReader | undefined;
  /** Whether the client can tell a body that was cut off. */
  #framed = true;

  constructor(
    response: ClientResponse,
    record: RequestRecord,
    { fields, now }: { fields: ResponseFields; now: () => number },
  ) {
    this.#response = response;
    this.#record = record;
    this.#fields = fields;
    this.#now = now;
    response.sendDate = false;
    response.once('close', () => {
      if (!response.writableFinished) this.#noteAborted();
      if (this.#bytesIn) record.bytesIn = this.#bytesIn();
      this.#over = true;
      this.#left?.abort(over);
      this.#written?.();
      this.#reader?.close();
    });
  }

  /** Aborts when the client is gone, or the response is done. */
  get left(): AbortSignal {
    if (this.#left === undefined) {
      this.#left = new AbortController();
      if (this.#over) this.#left.abort(over);
    }
    return this.#left.signal;
  }

  /** Its client's connection; undefined once that is gone. */
  get connection(): object | undefined {
    return this.#response.socket ?? undefined;
  }

  /** Passes an interim response on. RFC 9110 section 15.2. */
  interim(status: number, headers: RawHeaders): void {
    const { req, socket, headersSent } = this.#response;
    // HTTP/1.0 has none. Nor has, yet, a response that waits for others of its connection, or a client
    // that does not read: Node would keep it for them.
    if (req.httpVersion === '1.0' || headersSent || !socket || socket.writableNeedDrain) return;
    // Node before 26.2 cannot: there they are passed over.
    this.#response.writeInformation?.(status, [...endToEnd(headers), 'Via', this.#fields.via]);
  }

  /**
   * Sends an answer at the client's pace: at most one chunk is on its way. Rejects when the body
   * cannot be completed; if the head is out by then the connection is aborted, never ended. Undefined
   * where there is nothing to wait for.
   */
  send(answer: Answer): Promise<void> | undefined {
    const { body } = answer;
    this.#bytesIn = answer.bytesIn;
    if (body.kind === 'stream') return this.#stream(answer, body.reader, body.size);
    this.head(answer.status, answer.headers);
    if (body.kind === 'bytes') {
      this.#record.bytesOut += body.bytes.length;
      this.#response.end(body.bytes);
    } else {
      this.#response.end();
    }
    return undefined;
  }

  /** The gateway's own answer to a request that it refuses or cannot fulfil. */
  fail(error: GatewayError): void {
    const record = this.#record;
    record.error = error.code;
    record.detail = error.message;
    if (this.#response.headersSent) {
      this.#breakOff();
      return;
    }
    const status = statusOf(error);
    record.outcome = status < 500 ? 'refused' : 'failed';
    const text = Buffer.from(`${status} ${error.code}: ${error.message}\n`);
    const headers = [
      'Content-Type',
      'text/plain; charset=utf-8',
      'Content-Length',
      String(text.length),
      'Cache-Control',
      'no-store',
      'Proxy-Status',
      this.#fields.proxyStatus(record, error),
    ];
    this.head(status, headers);
    record.bytesOut += text.length;
    this.#response.end(this.#record.method === 'HEAD' ? undefined : text);
  }

  async #stream(answer: Answer, reader: BodyReader, size: number | undefined): Promise<void> {
    this.#reader = reader;
    try {
      // A body that fails before its first byte can still be an honest 502.
      let chunk = reader.nextNow?.() ?? (await reader.next());
      if (this.#over) return;
      this.head(answer.status, answer.headers);
      let left = size ?? Number.POSITIVE_INFINITY;
      while (chunk && !this.#over) {
        this.#record.bytesOut += chunk.length;
        left -= chunk.length;
        // Of others the end may still have to be waited for.
        const isLast = left === 0 && reader.nextNow !== undefined;
        await this.#write(chunk, isLast);
        if (this.#over || isLast) return;
        chunk = reader.nextNow?.() ?? (await reader.next());
      }
      if (!this.#over) this.#response.end();
    } finally {
      reader.close();
    }
  }

  /** Ends the response in the middle: over HTTP/1.1 with its connection. */
  #breakOff(): void {
    const response = this.#response;
    // Where only the end of the connection ends the body, an orderly one would make it whole.
    const isCut = this.#framed;
    if (response.socket === null) {
      // Others of its connection come before it. To Node it is over then, and what it has is sent, no more.
      response.once('socket', (socket: Socket) => (isCut ? socket.destroy() : reset(socket)));
      response.destroy();
    } else if (isCut) response.destroy();
    else reset(response.socket);
  }

  #noteAborted(): void {
    const record = this.#record;
    record.aborted = true;
    if (record.status !== 0) return;
    record.error = over.code;
    record.detail = 'the client left before there was an answer';
  }

  /** Resolves when the bytes have left the process, or the client has. */
  #write(chunk: Uint8Array, isLast: boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#written = resolve;
      if (isLast) this.#response.end(chunk, () => this.#ended(resolve));
      else this.#response.write(chunk, () => resolve());
    });
  }

  /** The last bytes have left: their memory is the reader's again. */
  #ended(resolve: () => void): void {
    this.#reader?.nextNow?.();
    resolve();
  }

  /** Writes the head, with what became of the request. */
  head(status: number, headers: RawHeaders): void {
    const record = this.#record;
    record.status = status;
    // RFC 9112 section 6.3: HTTP/1.0 knows no chunks.
    this.#framed =
      this.#response.req.httpVersion !== '1.0' ||
      fieldValue(headers, 'content-length') !== undefined;
    record.firstByteMs = this.#now() - record.startedAt;
    const fields = answerFields(headers, record, this.#fields, this.#now());
    if (!this.#framed) this.#resetWhenLeft();
    this.#response.writeHead(status, fields);
  }

  /** Node ends the connection of a client that says no more, in order: here that would end the body. */
  #resetWhenLeft(): void {
    const response = this.#response;
    const { socket } = response.req;
    const left = (): void => {
      if (!response.writableEnded) reset(socket);
    };
    socket.prependListener('end', left);
    response.once('close', () => socket.off('end', left));
  }
}

/** Anything thrown as a GatewayError: what is not one already is a fault of ours. */
export function asGatewayError(error: unknown): GatewayError {
  return error instanceof GatewayError
    ? error
    : new GatewayError('proxy_internal_error', 'the gateway failed on this request', {
        origin: 'gateway',
        cause: error,
      });
}

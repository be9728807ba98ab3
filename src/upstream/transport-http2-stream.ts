import { type ClientHttp2Stream, constants } from 'node:http2';
import { originOf } from '../core/canonical-url.ts';
import { GatewayError } from '../core/errors.ts';
import { fieldValue } from '../core/raw-headers.ts';
import { toGatewayError } from './transport-errors.ts';
import type { Http2Connection } from './transport-http2-connection.ts';
import { http2Error, malformedHttp2 } from './transport-http2-errors.ts';
import { http2RequestFields, http2ResponseFields } from './transport-http2-fields.ts';
import { TransportResponse } from './transport-response.ts';
import type { UpstreamRequest } from './upstream.ts';

/** Milliseconds. */
export interface StreamTimeouts {
  readonly firstByteMs: number;
  readonly idleMs: number;
}

const betterOverHttp1: ReadonlySet<number> = new Set([
  constants.NGHTTP2_HTTP_1_1_REQUIRED,
  constants.NGHTTP2_ENHANCE_YOUR_CALM,
]);

/** How a stream ended that did not bring its response to the end. */
export interface StreamFailure {
  readonly error: GatewayError;
  /** The head of the response had come. */
  readonly responded: boolean;
  /** The upstream has not looked at the request. RFC 9113 section 8.7. */
  readonly refused: boolean;
  /** HTTP/1.1 would do better: so says the upstream, or it has enough of streams. RFC 9113 section 7. */
  readonly wantsHttp1: boolean;
}

export interface StreamOptions {
  readonly request: UpstreamRequest;
  readonly connection: Http2Connection;
  readonly timeouts: StreamTimeouts;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onHead: (response: TransportResponse) => void;
  /** Once, unless it was cancelled. */
  readonly onOver: (failure?: StreamFailure) => void;
}

/**
 * One request and its response as one stream of a connection. Node's own client is used, not
 * undici's: that one loses the order of fields, and takes a stream that was reset without an error
 * for a complete one.
 */
export class Http2StreamExchange {
  readonly #options: StreamOptions;
  readonly #requestTime: number;
  #stream: ClientHttp2Stream | undefined;
  #timer: NodeJS.Timeout | undefined;
  #response: TransportResponse | undefined;
  #declared: number | undefined;
  #received = 0;
  #cause: unknown;
  /** END_STREAM has come. */
  #isWhole = false;
  /** The request was never on its way. */
  #unsent = false;
  #over = false;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#requestTime = options.now();
  }

  start(): void {
    const { request, connection } = this.#options;
    try {
      this.#stream = connection.open(http2RequestFields(request), request.body === undefined);
    } catch (error) {
      this.#fail(unsendable(error));
      return;
    }
    this.#listen(this.#stream);
    this.#sendBody(this.#stream);
    this.#awaitHead(this.#stream);
  }

  /** Ends the stream, and it only; nothing more is told. */
  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#options.request.body?.destroy();
    this.#stream?.close(constants.NGHTTP2_CANCEL);
  }

  #listen(stream: ClientHttp2Stream): void {
    stream.pause();
    stream.on('headers', (fields, _flags, raw) => {
      const status = fields[':status'];
      if (status === undefined || status >= 200 || this.#over) return;
      this.#options.request.onInterim?.(status, http2ResponseFields(raw));
    });
    stream.once('response', (fields, flags, raw) => {
      if (!this.#over) this.#onHead(stream, { status: fields[':status'] ?? 0, flags, raw });
    });
    stream.on('data', (chunk: Buffer) => {
      if (!this.#over) this.#onData(stream, chunk);
    });
    stream.on('end', () => this.#onEnd(stream));
    stream.on('error', (error) => {
      this.#cause = error;
    });
    stream.on('close', () => this.#break(stream));
    // A GOAWAY that came first keeps back what was to be sent.
    stream.on('frameError', () => {
      this.#unsent = true;
    });
    // RFC 9113 section 8.1: only END_STREAM ends a response, but Node tells of an end for a stream
    // that was reset without an error, too. It listens for the end itself when END_STREAM comes,
    // while the stream is open, and after a reset, when it is closed.
    stream.on('newListener', (event) => {
      if (event === 'end' && !stream.closed) this.#isWhole = true;
    });
    stream.on('trailers', (_fields, flags) => this.#noteEnd(flags));
  }

  #sendBody(stream: ClientHttp2Stream): void {
    const { body } = this.#options.request;
    body?.once('error', (error) => this.#fail(toGatewayError(error, 'waiting')));
    body?.pipe(stream);
  }

  #awaitHead(stream: ClientHttp2Stream): void {
    const { request, timeouts, connection } = this.#options;
    const late = (): void => {
      // It is the client that the upstream waits for.
      if (request.body && !stream.writableFinished && !stream.writableNeedDrain) {
        this.#timer?.refresh();
        return;
      }
      connection.retire();
      this.#fail(timeout('http_response_timeout', 'the upstream did not answer in time'));
    };
    this.#timer = setTimeout(late, timeouts.firstByteMs);
  }

  #onHead(
    stream: ClientHttp2Stream,
    head: { readonly status: number; readonly flags: number; readonly raw: readonly string[] },
  ): void {
    clearTimeout(this.#timer);
    const { request, now, onHead } = this.#options;
    const { method, url } = request;
    const { status } = head;
    const headers = http2ResponseFields(head.raw);
    const bodiless = method === 'HEAD' || status === 204 || status === 304;
    const length = fieldValue(headers, 'content-length');
    if (status < 200) {
      this.#fail(malformedHttp2());
      return;
    }
    if (!bodiless && length !== undefined) this.#declared = Number(length);
    // Positions are counted in numbers: beyond 2^53 they are no longer exact.
    if (this.#declared !== undefined && !Number.isSafeInteger(this.#declared)) {
      this.#fail(malformedHttp2());
      return;
    }
    this.#response = new TransportResponse(
      {
        status,
        headers,
        origin: originOf(url),
        url,
        requestTime: this.#requestTime,
        responseTime: now(),
      },
      {
        resume: () => {
          if (this.#over) return;
          this.#watch();
          stream.resume();
        },
        abort: () => {
          if (this.#over) return;
          this.cancel();
          this.#options.onOver();
        },
        giveBack: () => undefined,
      },
    );
    onHead(this.#response);
    // Nothing more comes: whoever reads it later need not hold the stream until then.
    this.#noteEnd(head.flags);
    if (this.#isWhole) stream.resume();
  }

  #onData(stream: ClientHttp2Stream, chunk: Buffer): void {
    this.#received += chunk.length;
    if (this.#declared !== undefined && this.#received > this.#declared) {
      this.#fail(malformedHttp2());
      return;
    }
    this.#timer?.refresh();
    try {
      if (this.#response?.take(chunk) !== false) return;
    } catch (error) {
      this.#fail(toGatewayError(error, 'body'));
      return;
    }
    stream.pause();
    clearTimeout(this.#timer);
  }

  /** A body that nobody holds back must go on; one that is paused does not count. */
  #watch(): void {
    const { connection, timeouts } = this.#options;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      connection.retire();
      this.#fail(timeout('connection_read_timeout', 'the upstream stopped sending the body'));
    }, timeouts.idleMs);
  }

  #onEnd(stream: ClientHttp2Stream): void {
    if (this.#over) return;
    if (this.#response === undefined || !this.#isWhole || this.#isShort()) {
      this.#break(stream);
      return;
    }
    this.#over = true;
    clearTimeout(this.#timer);
    // What the upstream answered early it does not want the rest of.
    this.#options.request.body?.destroy();
    this.#options.onOver();
    this.#response.arrived('whole');
  }

  #noteEnd(flags: number): void {
    this.#isWhole ||= (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
  }

  /** It has ended early. */
  #break(stream: ClientHttp2Stream): void {
    if (this.#over) return;
    const code = stream.rstCode;
    this.#unsent ||= stream.id === undefined;
    const phase = this.#response === undefined ? 'waiting' : 'body';
    const isShort = this.#isShort();
    this.#fail(http2Error({ cause: this.#cause, code, phase, isShort }), code);
  }

  #isShort(): boolean {
    return this.#declared !== undefined && this.#received < this.#declared;
  }

  #fail(error: GatewayError, code: number = constants.NGHTTP2_NO_ERROR): void {
    if (this.#over) return;
    this.cancel();
    this.#options.onOver({
      error,
      responded: this.#response !== undefined,
      refused: this.#unsent || code === constants.NGHTTP2_REFUSED_STREAM,
      wantsHttp1: betterOverHttp1.has(code),
    });
    this.#response?.arrived(error);
  }
}

function unsendable(cause: unknown): GatewayError {
  if (cause instanceof GatewayError) return cause;
  return new GatewayError('http_request_error', 'the request cannot be sent as it is', {
    origin: 'gateway',
    cause,
  });
}

function timeout(
  code: 'http_response_timeout' | 'connection_read_timeout',
  message: string,
): GatewayError {
  return new GatewayError(code, message, { origin: 'upstream', retryable: true });
}

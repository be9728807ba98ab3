import type { Dispatcher } from 'undici';
import { originOf, pathOf } from '../core/canonical-url.ts';
import { GatewayError } from '../core/errors.ts';
import { fieldValue } from '../core/raw-headers.ts';
import type { ReadBuffer } from './read-buffer.ts';
import {
  abandoned,
  noAnswer,
  type Phase,
  toGatewayError,
  tooLong,
  unknownCoding,
  unknownStatus,
} from './transport-errors.ts';
import { headBytes, rawFields } from './transport-head.ts';
import type { ConnectionPool, Slot, SlotUser } from './transport-pool.ts';
import { type FlowControl, TransportResponse } from './transport-response.ts';
import type { UpstreamRequest, UpstreamResponse } from './upstream.ts';

export interface ExchangeContext {
  readonly pool: ConnectionPool;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** It holds nothing any more. */
  readonly onOver: (exchange: PendingExchange) => void;
}

/** A request under way, whatever carries it. */
export interface PendingExchange {
  /** The head, or the GatewayError instead of it. */
  readonly head: Promise<UpstreamResponse>;
  start(): void;
  /** Ends it at whatever stage with this error. */
  cancel(error: GatewayError): void;
}

/** RFC 9110 section 9.2.2. */
export const idempotentMethods: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PUT',
  'DELETE',
]);

/** One request and its response: undici's handler for both. */
export class Exchange
  implements PendingExchange, SlotUser, FlowControl, Dispatcher.DispatchHandler
{
  /** The head, or the GatewayError instead of it. */
  readonly head: Promise<UpstreamResponse>;
  readonly #request: UpstreamRequest;
  readonly #context: ExchangeContext;
  readonly #answer = Promise.withResolvers<UpstreamResponse>();
  #slot: Slot | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #response: TransportResponse | undefined;
  /** Where the response is read to: its slot may have another connection by the time it is over. */
  #reading: ReadBuffer | undefined;
  /** The body ends with the connection. RFC 9112 section 6.3. */
  #closeDelimited = false;
  #requestTime = 0;
  /** Bytes that the connection had brought before this request. */
  #bytesBefore = 0;
  #retried = false;
  #over = false;

  constructor(request: UpstreamRequest, context: ExchangeContext) {
    this.#request = request;
    this.#context = context;
    this.head = this.#answer.promise;
  }

  start(): void {
    this.#context.pool.acquire(this);
  }

  granted(slot: Slot): void {
    this.#slot = slot;
    this.#dispatch(slot);
  }

  /** Ends it at whatever stage with this error, and its connection with it. */
  cancel(error: GatewayError): void {
    if (this.#over) return;
    this.#response?.arrived(error);
    this.#answer.reject(error);
    this.#request.body?.destroy();
    if (this.#controller) this.#controller.abort(error);
    else {
      this.#context.pool.leave(this);
      this.#finish(error);
    }
  }

  // --- for the response ---

  resume(): void {
    this.#controller?.resume();
  }

  abort(): void {
    this.#controller?.abort(abandoned());
  }

  giveBack(chunk: Uint8Array): void {
    this.#reading?.giveBack(chunk);
  }

  // --- for undici ---

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#over) {
      controller.abort(abandoned());
      return;
    }
    this.#controller = controller;
    this.#requestTime = this.#context.now();
    if (this.#slot === undefined) return;
    this.#slot.requests += 1;
    this.#bytesBefore = this.#slot.socket?.bytesRead ?? 0;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    reason = '',
  ): void {
    // RFC 9110 section 15: a status code is at least 100.
    if (status < 100) {
      controller.abort(unknownStatus());
      return;
    }
    const headers = rawFields(controller.rawHeaders);
    const { method, url, onInterim } = this.#request;
    if (status < 200) {
      onInterim?.(status, headers);
      return;
    }
    const coding = fieldValue(headers, 'transfer-encoding');
    let isHere = false;
    if (method !== 'HEAD' && status !== 204 && status !== 304) {
      // RFC 9112 section 6.1: no other transfer coding was offered, and none is decoded here.
      if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked') {
        controller.abort(unknownCoding());
        return;
      }
      const length = fieldValue(headers, 'content-length');
      // Positions are counted in numbers: beyond 2^53 they are no longer exact.
      if (length !== undefined && Number(length) > Number.MAX_SAFE_INTEGER) {
        controller.abort(tooLong());
        return;
      }
      this.#closeDelimited = coding === undefined && length === undefined;
      isHere =
        length !== undefined && Number(length) <= this.#received - headBytes(reason, headers);
    }
    // A small body that came with its head is taken with it: that is less than a pause costs.
    if (!isHere) controller.pause();
    this.#reading = this.#slot?.reading;
    this.#response = new TransportResponse(
      {
        status,
        headers,
        origin: originOf(url),
        url,
        requestTime: this.#requestTime,
        responseTime: this.#context.now(),
      },
      this,
    );
    this.#answer.resolve(this.#response);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    // undici tells of nothing, too: after a pause it runs its parser on no bytes first.
    if (chunk.length === 0) return;
    this.#reading?.lend(chunk);
    if (this.#response?.take(chunk) === false) controller.pause();
  }

  onResponseEnd(): void {
    // RFC 9112 section 8: an error of the connection leaves a close-delimited body incomplete.
    const broken = this.#closeDelimited ? this.#slot?.socket?.errored : undefined;
    if (broken) {
      this.#fail(toGatewayError(broken, 'cut'));
      return;
    }
    // There is one request at a time on a connection: all that came is of this one.
    this.#reading?.parsed();
    this.#finish();
    this.#response?.arrived('whole');
  }

  onResponseError(_controller: Dispatcher.DispatchController, cause: Error): void {
    if (this.#over) {
      // Ours come back from an abort; any other was thrown by the sink's `end`, and must be seen.
      if (!(cause instanceof GatewayError)) queueMicrotask(() => rethrow(cause));
      return;
    }
    const phase = this.#phase(cause);
    const error =
      phase !== 'connecting' && isProtocolViolation(this.#slot, cause)
        ? noAnswer(cause)
        : toGatewayError(cause, phase);
    const slot = this.#slot;
    if (slot !== undefined && phase === 'waiting' && this.#mayRetry(error, slot)) {
      this.#retried = true;
      this.#controller = undefined;
      // undici is done with the dead connection by then and opens another one.
      queueMicrotask(() => {
        if (!this.#over) this.#dispatch(slot);
      });
      return;
    }
    this.#fail(error);
  }

  #dispatch(slot: Slot): void {
    const { method, url, headers, body, timeouts } = this.#request;
    slot.connectTimeoutMs = timeouts?.connectMs;
    slot.client.dispatch(
      {
        method,
        path: pathOf(url),
        // It is only read.
        headers: headers as string[],
        body: body ?? null,
        ...(timeouts && { headersTimeout: Math.ceil(timeouts.firstByteMs) }),
      },
      this,
    );
  }

  /** RFC 9112 section 9.3.1: the upstream may have closed the idle connection as we wrote. */
  #mayRetry(error: GatewayError, slot: Slot): boolean {
    return (
      error.code === 'connection_terminated' &&
      !this.#retried &&
      slot.requests > 1 &&
      this.#request.body === undefined &&
      idempotentMethods.has(this.#request.method)
    );
  }

  /** Bytes that came for this request. */
  get #received(): number {
    return (this.#slot?.socket?.bytesRead ?? 0) - this.#bytesBefore;
  }

  #phase(error: Error): Phase {
    if (this.#controller === undefined) return 'connecting';
    const socket = this.#slot?.socket;
    if (this.#response !== undefined) {
      const { readableEnded = false, errored } = socket ?? {};
      return readableEnded || (errored && errored !== error) ? 'cut' : 'body';
    }
    return this.#received > 0 ? 'head' : 'waiting';
  }

  #fail(error: GatewayError): void {
    this.#finish(error);
    this.#response?.arrived(error);
    this.#answer.reject(error);
  }

  #finish(error?: GatewayError): void {
    if (this.#over) return;
    this.#over = true;
    // It has the head's memory: whoever still holds the response has no use for that.
    this.#controller = undefined;
    this.#context.onOver(this);
    const slot = this.#slot;
    if (slot === undefined) return;
    // Not within the parser's callback: bytes after this response would meet the next request.
    queueMicrotask(() => this.#context.pool.release(slot, error));
  }
}

/** undici ended the connection by itself: what came on it was no answer to the request. */
function isProtocolViolation(slot: Slot | undefined, error: Error): boolean {
  return (
    (error as { code?: unknown }).code === 'UND_ERR_SOCKET' &&
    slot?.socket?.errored === error &&
    !slot.socket.readableEnded
  );
}

function rethrow(error: Error): never {
  throw error;
}

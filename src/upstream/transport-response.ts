import type { GatewayError } from '../core/errors.ts';
import { type HeadFields, ResponseHead } from './response-head.ts';
import { toGatewayError } from './transport-errors.ts';
import type { BodySink, UpstreamResponse } from './upstream.ts';

/** What the response may do to its connection. */
export interface FlowControl {
  resume(): void;
  abort(): void;
  giveBack(chunk: Uint8Array): void;
}

/** Of a body that nobody takes yet; the one chunk besides that shows it. */
const mostHeldBytes = 64 * 1024;

/**
 * The body between the parser and the sink; what comes before there is a sink is held. The sink is
 * called from the parser or from a microtask, never from within `consume`, `resume` or `abort`:
 * undici's parser is one for the whole process, so a connection must not be resumed from within
 * another one's callback.
 */
export class TransportResponse extends ResponseHead implements UpstreamResponse {
  readonly #control: FlowControl;
  #sink: BodySink | undefined;
  #paused = true;
  #scheduled = false;
  /** What came while nobody took it, in order. */
  readonly #held: Buffer[] = [];
  #heldBytes = 0;
  /** The exchange is over: nothing more comes from the connection. */
  #arrived: 'whole' | GatewayError | undefined;
  /** The sink has heard the end, or shall hear nothing. */
  #done = false;

  constructor(head: HeadFields, control: FlowControl) {
    super(head);
    this.#control = control;
  }

  consume(sink: BodySink): void {
    if (this.#sink !== undefined) throw new Error('the body has a consumer already');
    this.#sink = sink;
    this.#schedule();
  }

  takeWhole(size: number, take: (body: Uint8Array) => boolean): boolean {
    if (this.#arrived !== 'whole' || this.#sink !== undefined || this.#done) return false;
    if (this.#heldBytes !== size) return false;
    const only = this.#held.length === 1 ? this.#held[0] : undefined;
    const body = only ?? Buffer.concat(this.#held);
    if (!take(body)) return false;
    this.#done = true;
    for (const chunk of this.#held) this.giveBack(chunk);
    this.#held.length = 0;
    return true;
  }

  resume(): void {
    if (this.#sink !== undefined) this.#schedule();
  }

  giveBack(chunk: Uint8Array): void {
    this.#control.giveBack(chunk);
  }

  abort(): void {
    if (this.#done) return;
    this.#done = true;
    this.#held.length = 0;
    if (this.#arrived === undefined) this.#control.abort();
  }

  /** From the parser: false asks it to pause. */
  take(chunk: Buffer): boolean {
    if (this.#done) return true;
    if (!this.#paused && this.#sink !== undefined) {
      this.#paused = !this.#sink.data(chunk);
      return !this.#paused;
    }
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    return this.#heldBytes < mostHeldBytes;
  }

  /** From the parser: complete by its framing, or broken off. */
  arrived(how: 'whole' | GatewayError): void {
    this.#arrived ??= how;
    // A sink that waits learns at once of what broke off: its resume may be long in coming.
    const isNow = !this.#scheduled && (this.#held.length === 0 || how !== 'whole');
    if (this.#sink !== undefined && isNow) this.#finish();
  }

  /** The sink must not be called before this turn's code is done: see the class comment. */
  #schedule(): void {
    if (this.#scheduled || this.#done) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#flow();
    });
  }

  #flow(): void {
    if (this.#done || this.#sink === undefined) return;
    try {
      if (!this.#handOver(this.#sink)) return;
    } catch (error) {
      // As from the parser: a sink that fails has failed its own body.
      const isOver = this.#arrived !== undefined;
      this.#arrived = toGatewayError(error, 'body');
      this.#finish();
      if (!isOver) this.#control.abort();
      return;
    }
    this.#paused = false;
    if (this.#arrived === undefined) this.#control.resume();
    else this.#finish();
  }

  /** Gives the sink what is held; false: it wants no more now. */
  #handOver(sink: BodySink): boolean {
    for (let chunk = this.#held.shift(); chunk !== undefined; chunk = this.#held.shift()) {
      this.#heldBytes -= chunk.length;
      const flows = sink.data(chunk);
      if (this.#done || !flows) return false;
    }
    return true;
  }

  #finish(): void {
    if (this.#done || this.#sink === undefined) return;
    this.#done = true;
    this.#held.length = 0;
    if (this.#arrived === 'whole') this.#sink.end();
    else if (this.#arrived !== undefined) this.#sink.error(this.#arrived);
  }
}

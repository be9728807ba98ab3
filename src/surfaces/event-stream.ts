import type { ServerResponse } from 'node:http';
import { type Every, systemEvery } from '../core/every.ts';

export interface EventStreamOptions {
  /** Name of the events. */
  readonly event: string;
  /** What an event says just now; asked for once however many listen, and never while nobody does. */
  readonly data: () => object;
  /** Listeners at a time. */
  readonly most: number;
  /** Calls `run` that often until told to stop, instead of the system's timers. */
  readonly every?: Every;
}

const everyMs = 1_000;
/** How long a browser waits before it comes back, in milliseconds. */
const retryMs = 3_000;

/**
 * Server-sent events (HTML Living Standard, section 9.2), one a second to all who listen, the first
 * one at once. Nothing waits for a slow listener: whoever has not taken the last event when the next
 * one is due is cut off, and may come back.
 */
export class EventStream {
  readonly #options: EventStreamOptions;
  readonly #listeners = new Set<ServerResponse>();
  #stop: (() => void) | undefined;
  #closed = false;

  constructor(options: EventStreamOptions) {
    this.#options = options;
  }

  /** Whether there is a place for one more listener. */
  get hasRoom(): boolean {
    return !this.#closed && this.#listeners.size < this.#options.most;
  }

  /** Sends events from now on until the listener leaves; a HEAD has only the fields of that. */
  open(response: ServerResponse): void {
    response.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      // Known to nginx and others in front: what is live must not wait in their buffers.
      'X-Accel-Buffering': 'no',
    });
    if (response.req.method === 'HEAD') {
      response.end();
      return;
    }
    this.#listeners.add(response);
    response.on('close', () => this.#left(response));
    response.write(`retry: ${retryMs}\n${this.#message()}`);
    this.#stop ??= (this.#options.every ?? systemEvery)(everyMs, () => this.#tick());
  }

  /** Ends all streams. */
  close(): void {
    this.#closed = true;
    for (const listener of this.#listeners) listener.end();
    this.#listeners.clear();
    this.#rest();
  }

  #tick(): void {
    const message = this.#message();
    for (const listener of this.#listeners) {
      if (listener.writableLength > 0) listener.destroy();
      else listener.write(message);
    }
  }

  #message(): string {
    const { event, data } = this.#options;
    return `event: ${event}\ndata: ${JSON.stringify(data())}\n\n`;
  }

  #left(listener: ServerResponse): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size === 0) this.#rest();
  }

  #rest(): void {
    this.#stop?.();
    this.#stop = undefined;
  }
}

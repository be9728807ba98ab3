import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { until } from './until.ts';

/** A connection on which a test says bytes and waits for others, in latin1. */
export class Conversation {
  readonly #socket: Socket;
  #text = '';

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.#socket.setEncoding('latin1').on('data', (chunk: string) => {
      this.#text += chunk;
    });
    // A refusal may come as a reset after the answer; `closed` follows.
    this.#socket.on('error', () => this.#socket.destroy());
    onTestFinished(() => {
      this.#socket.destroy();
    });
  }

  say(bytes: string): void {
    this.#socket.write(bytes, 'latin1');
  }

  /** Takes nothing more. */
  pause(): void {
    this.#socket.pause();
  }

  /** All that came so far, once that matches. */
  async heard(pattern: RegExp): Promise<string> {
    await until(() => pattern.test(this.#text), `${pattern} in ${JSON.stringify(this.#text)}`);
    return this.#text;
  }

  /** All that came, once the other side has closed. */
  async closed(): Promise<string> {
    await until(() => this.#socket.closed, 'the other side to close');
    return this.#text;
  }
}

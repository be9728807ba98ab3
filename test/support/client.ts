import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { onTestFinished } from 'vitest';
import { fieldValue } from '../../src/core/raw-headers.ts';

export interface ClientResponse {
  readonly status: number;
  /** `[name, value, …]` as received. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** The connection ended before the body did. */
  readonly aborted: boolean;
  /** The combined value; `name` in lower case. */
  field(name: string): string | undefined;
}

export interface ClientOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Uint8Array;
  /** Sends the absolute URL to this gateway (`http://host:port`), as to a proxy. */
  readonly proxy?: string;
  readonly onInterim?: (status: number) => void;
}

/** A response whose body the test reads itself. */
export interface OpenResponse {
  readonly status: number;
  readonly message: IncomingMessage;
}

/** A client with connections of its own, closed when the test is finished. */
export class Client {
  readonly #agent = new Agent({ keepAlive: true });

  constructor() {
    onTestFinished(() => this.#agent.destroy());
  }

  /** Breaks all its connections. */
  leave(): void {
    this.#agent.destroy();
  }

  async send(url: string, options: ClientOptions = {}): Promise<ClientResponse> {
    const { message } = await this.open(url, options);
    const chunks: Buffer[] = [];
    let aborted = false;
    await new Promise<void>((resolve) => {
      message.on('data', (chunk: Buffer) => chunks.push(chunk));
      message.on('error', () => {
        aborted = true;
      });
      message.on('close', resolve);
    });
    return {
      status: message.statusCode ?? 0,
      headers: message.rawHeaders,
      body: Buffer.concat(chunks),
      aborted: aborted || !message.complete,
      field: (name) => fieldValue(message.rawHeaders, name),
    };
  }

  /** Resolves with the head; the body waits until it is read. */
  open(url: string, options: ClientOptions = {}): Promise<OpenResponse> {
    const target = new URL(url);
    const via = options.proxy === undefined ? target : new URL(options.proxy);
    return new Promise((resolve, reject) => {
      const request = httpRequest({
        agent: this.#agent,
        host: via.hostname,
        port: via.port,
        method: options.method ?? 'GET',
        path: options.proxy === undefined ? url.slice(target.origin.length) : url,
        headers: { ...(options.proxy !== undefined && { Host: target.host }), ...options.headers },
      });
      request.on('response', (message) => resolve({ status: message.statusCode ?? 0, message }));
      request.on('information', ({ statusCode }) => options.onInterim?.(statusCode));
      request.on('error', reject);
      request.end(options.body);
    });
  }
}

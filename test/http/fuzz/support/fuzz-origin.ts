import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { mutate } from './mutate.ts';
import { replyTo, someFields } from './origin-replies.ts';
import type { OriginReply } from './origin-reply.ts';
import { Random } from './random.ts';
import { type ExactResource, exactResources, nameIn } from './resources.ts';
import { valuesOf } from './strict-fields.ts';
import { readRequest, type StrictRequest } from './strict-request.ts';

/**
 * An origin that answers each request by the seed, its target and how often that was asked for:
 * `e…` with known bytes and known faults, `m…` with anything, `calm…` always right.
 */
export class FuzzOrigin {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly resources: ReadonlyMap<string, ExactResource> = exactResources();
  /** What the gateway sent that it never should have. */
  readonly problems: string[] = [];
  /** Called with each request as soon as its head is here. */
  onRequest: (request: StrictRequest) => void = () => undefined;
  requests = 0;
  readonly #seed: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #asked = new Map<string, number>();

  constructor(seed: number, server: Server) {
    this.#seed = seed;
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      // Whoever leaves in the middle is part of the game; `close` follows.
      socket.on('error', () => socket.destroy());
      socket.setNoDelay(true);
      new Connection(socket, this).listen();
    });
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Takes note of a request whose head is here. */
  note(request: StrictRequest): void {
    this.requests += 1;
    const hosts = valuesOf(request.fields, 'host');
    if (`http://${hosts[0]}` !== this.url) {
      this.problems.push(`${request.method} ${request.target} came with Host: ${hosts[0]}`);
    }
    this.onRequest(request);
  }

  /** The reply to a whole request. */
  reply(request: StrictRequest): OriginReply {
    const { method, target } = request;
    const name = nameIn(target) ?? '';
    const times = this.#asked.get(target) ?? 0;
    this.#asked.set(target, times + 1);
    const random = new Random(this.#seed, 'reply', method, target, times);
    const sent = (body: Uint8Array) => (method === 'HEAD' ? Buffer.alloc(0) : body);
    const resource = this.resources.get(name);
    if (resource !== undefined) {
      return replyTo({ request, resource, random, fields: someFields(random), sent });
    }
    if (name.startsWith('m')) return mangledReply(random);
    const text = `this is ${name}`;
    const head = 'HTTP/1.1 200 OK\r\nCache-Control: max-age=100\r\nETag: "calm"\r\n';
    const length = `Content-Length: ${text.length}\r\n\r\n`;
    return { pieces: [`${head}${length}`, sent(Buffer.from(text))], after: 'keep' };
  }
}

/** One connection of the gateway, its requests one after the other. */
class Connection {
  readonly #socket: Socket;
  readonly #origin: FuzzOrigin;
  #bytes = Buffer.alloc(0);
  #noted: StrictRequest | undefined;
  #busy = false;

  constructor(socket: Socket, origin: FuzzOrigin) {
    this.#socket = socket;
    this.#origin = origin;
  }

  listen(): void {
    this.#socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      if (!this.#busy) void this.#serve();
    });
  }

  async #serve(): Promise<void> {
    this.#busy = true;
    for (let request = this.#next(); request !== undefined; request = this.#next()) {
      if (!(await this.#play(this.#origin.reply(request)))) return;
    }
    this.#busy = false;
  }

  /** The next request that is whole. */
  #next(): StrictRequest | undefined {
    if (this.#bytes.length === 0) return undefined;
    const read = readRequest(this.#bytes, 0);
    if (read.kind === 'malformed') {
      const text = JSON.stringify(this.#bytes.toString('latin1', 0, 2000));
      this.#origin.problems.push(`the gateway sent a malformed request: ${text}`);
      this.#socket.destroy();
      return undefined;
    }
    if (this.#noted === undefined && read.request !== undefined) {
      this.#noted = read.request;
      this.#origin.note(read.request);
    }
    if (read.kind !== 'whole') return undefined;
    this.#bytes = this.#bytes.subarray(read.end);
    this.#noted = undefined;
    return read.request;
  }

  /** Whether another request may follow. */
  async #play({ pieces, after }: OriginReply): Promise<boolean> {
    for (const piece of pieces) {
      if (this.#socket.destroyed) return false;
      if (typeof piece === 'number') await pause(piece);
      else await this.#write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
    }
    switch (after) {
      case 'keep':
        return !this.#socket.destroyed;
      case 'close':
        this.#socket.end();
        return false;
      case 'reset':
        this.#socket.resetAndDestroy();
        return false;
      case 'hang':
      case 'tunnel':
        // What comes from now on is no HTTP, or nobody's business.
        this.#socket.removeAllListeners('data').resume();
        return false;
    }
  }

  /** Resolves when the bytes have left, or the connection has. */
  #write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (bytes.length === 0) resolve();
      else this.#socket.write(bytes, () => resolve());
    });
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

/** A response with anything wrong in its head, or in its body; with the head of an evil one inside. */
function mangledReply(random: Random): OriginReply {
  const evil = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nEVIL!';
  const status = random.pick([
    '200 OK',
    '206 Partial Content',
    '304 Not Modified',
    '302 X',
    '401 X',
  ]);
  const range = random.chance(0.3) ? `Content-Range: bytes 0-${evil.length - 1}/1000\r\n` : '';
  const framing = random.chance(0.6)
    ? `Content-Length: ${evil.length}\r\n\r\n${evil}`
    : `Transfer-Encoding: chunked\r\n\r\n${evil.length.toString(16)}\r\n${evil}\r\n0\r\n\r\n`;
  const text = `HTTP/1.1 ${status}\r\n${someFields(random)}${range}${framing}`;
  return { pieces: [mutate(text, random)], after: random.pick(['keep', 'close', 'reset', 'hang']) };
}

/** Starts one; the caller closes it. */
export async function startFuzzOrigin(seed: number): Promise<FuzzOrigin> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new FuzzOrigin(seed, server);
}

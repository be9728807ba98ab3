import { createServer, type Server, type Socket } from 'node:net';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { bodyOfPath, etagOf } from '../fixtures/generated-body.ts';
import type { Ledger } from './ledger.ts';
import { parseRequestHead, type RequestHead } from './request-head.ts';
import { sendBody } from './send-body.ts';
import { type Documents, documentOf, sendDocument } from './send-document.ts';

const maxHeadBytes = 16 * 1024;
/** Long ago, so that no heuristic finds the bodies young. */
const lastModified = 'Mon, 01 Jan 2024 00:00:00 GMT';

/** What one origin gives, so that several can be mirrors of unequal worth. */
export interface OriginLimits {
  /** Bytes a second of a connection's body; without it as fast as the socket takes them. */
  readonly pace?: number;
  /** Bodies at once: who asks for more gets a 503. */
  readonly connections?: number;
  /** Milliseconds before each response. */
  readonly latencyMs?: number;
}

/**
 * An origin that costs as little as it can: generated bodies, strong entity tags, single ranges,
 * keep-alive, written straight to the socket. The caller listens and closes.
 */
export function createOrigin(
  ledger: Ledger,
  limits: OriginLimits = {},
  documents: Documents = new Map(),
): Server {
  const places = new Places(limits.connections ?? Number.POSITIVE_INFINITY);
  return createServer({ noDelay: true }, (socket) => {
    let input = '';
    let busy = false;
    const proceed = async (): Promise<void> => {
      busy = true;
      for (let end = input.indexOf('\r\n\r\n'); end !== -1; end = input.indexOf('\r\n\r\n')) {
        const head = parseRequestHead(input.slice(0, end), etagOf);
        input = input.slice(end + 4);
        if (!head) return void socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');
        await answer(socket, head, { ledger, limits, places, documents });
        if (head.close) return void socket.end();
      }
      busy = false;
    };
    socket.setEncoding('latin1');
    socket.on('data', (text) => {
      input += text;
      if (input.length > maxHeadBytes) socket.destroy();
      else if (!busy) proceed().catch((error: unknown) => socket.destroy(asError(error)));
    });
    // Whoever measures ends connections in the middle; what it makes of that is its own affair.
    socket.on('error', () => socket.destroy());
  });
}

/** Bodies that are on their way. */
class Places {
  #free: number;

  constructor(free: number) {
    this.#free = free;
  }

  take(): boolean {
    if (this.#free < 1) return false;
    this.#free -= 1;
    return true;
  }

  give(): void {
    this.#free += 1;
  }
}

interface Means {
  readonly ledger: Ledger;
  readonly limits: OriginLimits;
  readonly places: Places;
  readonly documents: Documents;
}

async function answer(
  socket: Socket,
  head: RequestHead,
  { ledger, limits, places, documents }: Means,
): Promise<void> {
  if (limits.latencyMs) await setTimeout(limits.latencyMs);
  const document = documentOf(documents, head.target);
  if (document) {
    ledger.request(head.target);
    sendDocument(socket, head, document);
    return;
  }
  const found = bodyOfPath(head.target);
  if (!found || (head.method !== 'GET' && head.method !== 'HEAD')) {
    socket.write(`HTTP/1.1 404 Not Found\r\n${dateField()}Content-Length: 0\r\n\r\n`);
    return;
  }
  const { body, pace = limits.pace } = found;
  ledger.request(head.target);
  const etag = etagOf(head.target);
  const fields =
    `${dateField()}ETag: ${etag}\r\nLast-Modified: ${lastModified}\r\n` +
    'Cache-Control: public, max-age=604800\r\nContent-Type: application/octet-stream\r\n' +
    'Accept-Ranges: bytes\r\n';
  if (head.ifNoneMatch === etag) {
    socket.write(`HTTP/1.1 304 Not Modified\r\n${fields}\r\n`);
    return;
  }
  const { first = 0, last = body.size - 1 } = head.range ?? {};
  if (head.range && first >= body.size) {
    socket.write(
      `HTTP/1.1 416 Range Not Satisfiable\r\n${fields}Content-Range: bytes */${body.size}\r\nContent-Length: 0\r\n\r\n`,
    );
    return;
  }
  const to = Math.min(last + 1, body.size);
  const status = head.range
    ? `206 Partial Content\r\nContent-Range: bytes ${first}-${to - 1}/${body.size}`
    : '200 OK';
  if (!places.take()) {
    socket.write(
      `HTTP/1.1 503 Service Unavailable\r\n${dateField()}Retry-After: 1\r\nContent-Length: 0\r\n\r\n`,
    );
    return;
  }
  // One packet for a small response.
  socket.cork();
  socket.write(`HTTP/1.1 ${status}\r\n${fields}Content-Length: ${to - first}\r\n\r\n`);
  process.nextTick(() => socket.uncork());
  const sent = (bytes: number): void => ledger.sent(head.target, bytes, body.size);
  if (head.method === 'GET') await sendBody(socket, { body, from: first, to, pace, sent });
  places.give();
}

function dateField(): string {
  return `Date: ${new Date().toUTCString()}\r\n`;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { GatewayError } from '../core/errors.ts';
import type { InterimSink } from '../core/interim.ts';
import { fieldValue, type RawHeaders } from '../core/raw-headers.ts';
import type { ClientResponse } from './client-response.ts';

/** What is to be done with the upstream's answer. */
export interface Forwarding {
  /** Writes the head of the response; what it gives the body goes through. */
  readonly head: (status: number, headers: RawHeaders) => Transform | undefined;
  /** Takes what comes before it. */
  readonly interim: InterimSink;
  readonly count: (bytes: number) => void;
}

/** What comes behind so many fields Node drops without a word, be it the framing of the body. */
const maxFields = 1000;

/**
 * Sends an answer that Node's client has parsed on its way back. Resolves when it is out or its client
 * is gone; rejects with a GatewayError where it is malformed or breaks off, and what has begun by then
 * is the caller's to end.
 */
export async function forward(
  upstream: IncomingMessage,
  response: ClientResponse,
  { head, count }: Forwarding,
): Promise<void> {
  const wrong = malformation(upstream);
  if (wrong !== undefined) {
    upstream.destroy();
    throw new GatewayError('http_protocol_error', wrong, { origin: 'upstream' });
  }
  const through = head(upstream.statusCode ?? 502, upstream.rawHeaders);
  upstream.on('data', (chunk: Buffer) => count(chunk.length));
  await relay(upstream, through, response);
}

function relay(
  upstream: IncomingMessage,
  through: Transform | undefined,
  response: ClientResponse,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      through?.destroy();
      reject(error);
    };
    upstream.once('error', fail);
    response.once('close', resolve);
    if (through !== undefined) {
      through.once('error', reject);
      upstream.once('close', () => upstream.complete || through.destroy());
      response.once('close', () => response.writableFinished || through.destroy());
      through.pipe(response);
    }
    const next = through ?? response;
    upstream.pipe(next, { end: false });
    // Node gives the socket back before the end.
    const { socket } = upstream;
    const endsWithIt = endsWithConnection(upstream, response.req.method);
    upstream.once('end', () => {
      // Node takes any end for that of the body, a reset too. RFC 9112 section 8.
      if (endsWithIt && !socket.readableEnded) fail(brokenOff());
      else next.end();
    });
  });
}

/** What is wrong with a head that Node's parser let through. */
function malformation({ statusCode = 0, rawHeaders }: IncomingMessage): string | undefined {
  // RFC 9110 section 15.
  if (statusCode < 100) return 'the response has no status of three digits';
  if (rawHeaders.length >= 2 * maxFields) return `the response has ${maxFields} fields or more`;
  // RFC 9112 section 7: no other coding was asked for, nor could it be taken off.
  const coding = fieldValue(rawHeaders, 'transfer-encoding');
  return coding === undefined || coding.trim().toLowerCase() === 'chunked'
    ? undefined
    : 'the response is in an unknown transfer coding';
}

/** Whether only the end of the connection says where the body ends. RFC 9112 section 6.3. */
function endsWithConnection({ statusCode, rawHeaders }: IncomingMessage, method?: string): boolean {
  if (method === 'HEAD' || statusCode === 204 || statusCode === 304) return false;
  const framing = ['content-length', 'transfer-encoding'];
  return framing.every((name) => fieldValue(rawHeaders, name) === undefined);
}

function brokenOff(): GatewayError {
  return new GatewayError('http_response_incomplete', 'the connection ended in the middle', {
    origin: 'upstream',
  });
}

import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { RequestHead } from './request-head.ts';

/** Documents by the decoded path, as they are published. */
export type Documents = Map<string, PublishedDocument>;

interface PublishedDocument {
  readonly bytes: Buffer;
  readonly etag: string;
}

/** Adds documents, or replaces those of the same paths. */
export function publish(documents: Documents, added: ReadonlyMap<string, string>): void {
  for (const [path, text] of added) {
    const etag = `"${createHash('sha256').update(text).digest('hex').slice(0, 32)}"`;
    documents.set(path, { bytes: Buffer.from(text), etag });
  }
}

/** The document of a request target, whichever way it is encoded. */
export function documentOf(documents: Documents, target: string): PublishedDocument | undefined {
  if (documents.size === 0) return undefined;
  return documents.get(target) ?? documents.get(target.replaceAll(/%2f/gi, '/'));
}

/** Answers as a registry does: fresh for five minutes, and a 304 to who has it. */
export function sendDocument(
  socket: Socket,
  { method, ifNoneMatch }: RequestHead,
  { bytes, etag }: PublishedDocument,
): void {
  const fields =
    `Date: ${new Date().toUTCString()}\r\nETag: ${etag}\r\n` +
    'Cache-Control: public, max-age=300\r\nContent-Type: application/vnd.npm.install-v1+json\r\n' +
    'Vary: Accept\r\n';
  if (ifNoneMatch === etag) {
    socket.write(`HTTP/1.1 304 Not Modified\r\n${fields}\r\n`);
    return;
  }
  socket.cork();
  socket.write(`HTTP/1.1 200 OK\r\n${fields}Content-Length: ${bytes.length}\r\n\r\n`);
  if (method === 'GET') socket.write(bytes);
  socket.uncork();
}

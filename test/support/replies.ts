/** One step of a scripted reply; a string is latin1 bytes, sent exactly as they are. */
export type Step = string | Uint8Array | { readonly act: 'hold' | 'close' | 'reset' | 'hang' };

/** Waits until the script's `release()`. */
export const hold: Step = { act: 'hold' };
/** Ends the connection in order (FIN). */
export const close: Step = { act: 'close' };
/** Breaks the connection (RST). */
export const reset: Step = { act: 'reset' };
/** Says nothing more and leaves the connection open. */
export const hang: Step = { act: 'hang' };

/** A head, ended by its empty line: `head('200 OK', { ETag: '"a"' })`; an array value repeats the field. */
export function head(
  statusLine: string,
  fields: Readonly<Record<string, string | number | readonly string[]>> = {},
): string {
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((line) => `${name}: ${line}\r\n`),
  );
  return `HTTP/1.1 ${statusLine}\r\n${lines.join('')}\r\n`;
}

/** A whole response with a `Content-Length`: `response('200 OK', { ETag: '"a"' }, 'hello')`. */
export function response(
  statusLine: string,
  fields: Readonly<Record<string, string | number | readonly string[]>>,
  body: string | Uint8Array,
): Buffer {
  const bytes = Buffer.from(body as string, 'latin1');
  return Buffer.concat([
    Buffer.from(head(statusLine, { ...fields, 'Content-Length': bytes.length }), 'latin1'),
    bytes,
  ]);
}

/** The pieces in chunked coding without the last chunk. RFC 9112 section 7.1. */
export function chunks(...pieces: readonly string[]): string {
  return pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('');
}

/** The last chunk, without trailers. */
export const lastChunk = '0\r\n\r\n';

import type { Dispatcher } from 'undici';
import type { RawHeaders } from '../core/raw-headers.ts';

/** The fields of a response as undici read them. */
export function rawFields(raw: Dispatcher.DispatchController['rawHeaders']): RawHeaders {
  if (!Array.isArray(raw)) throw new TypeError('undici gave no raw header fields');
  return raw.map((text) => {
    const field = typeof text === 'string' ? text : text.toString('latin1');
    // RFC 9110 section 5.5: white space around a value is not part of it.
    const last = field.charCodeAt(field.length - 1);
    return last === 0x20 || last === 0x09 ? field.replace(/[ \t]+$/, '') : field;
  });
}

/** Bytes of a response's head as it is usually written. */
export function headBytes(reason: string, headers: RawHeaders): number {
  let bytes = 'HTTP/1.1 200 \r\n\r\n'.length + reason.length;
  // A colon and a space, or an end of line.
  for (const text of headers) bytes += text.length + 2;
  return bytes;
}

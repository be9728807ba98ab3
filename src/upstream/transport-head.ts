import type { Dispatcher } from 'undici';
import type { RawHeaders } from '../core/raw-headers.ts';

/** The fields of a response as undici read them. */
export function rawFields(raw: Dispatcher.DispatchController['rawHeaders']): RawHeaders {
  if (!Array.isArray(raw)) throw new TypeError('undici gave no raw header fields');
  const fields: string[] = [];
  // Once compiled, `map` gives lists of another kind (V8's holey elements): all code that was compiled
  // for the first kind would be thrown away, under load.
  for (const text of raw) fields.push(trimmed(text));
  return fields;
}

/** RFC 9110 section 5.5: white space around a value is not part of it. */
function trimmed(text: string | Buffer): string {
  const field = typeof text === 'string' ? text : text.toString('latin1');
  const last = field.charCodeAt(field.length - 1);
  return last === 0x20 || last === 0x09 ? field.replace(/[ \t]+$/, '') : field;
}

/** Bytes of a response's head as it is usually written. */
export function headBytes(reason: string, headers: RawHeaders): number {
  let bytes = 'HTTP/1.1 200 \r\n\r\n'.length + reason.length;
  // A colon and a space, or an end of line.
  for (const text of headers) bytes += text.length + 2;
  return bytes;
}

import { STATUS_CODES } from 'node:http';
import type { RawHeaders } from '../core/raw-headers.ts';
import type { Answer, StoredSource } from '../pipeline/answer.ts';
import type { ValuePlace } from './prepared-message.ts';

/** The whole that one range was answered from; undefined where the fields of the range are not at the end. */
export function asWhole(answer: Answer, { body }: StoredSource): Answer | undefined {
  const fields = answer.headers.length - 4;
  if (answer.headers[fields] !== 'Content-Range') return undefined;
  const headers = [...answer.headers.slice(0, fields), 'Content-Length', String(body.size)];
  return { ...answer, status: 200, headers };
}

/** As Node's HTTP server writes it. */
export function statusLine(status: number): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`;
}

/** Field lines, each with its end. */
export function lines(fields: readonly string[]): string {
  let text = '';
  for (let i = 0; i + 1 < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return text;
}

/** Where the value at `index` of the fields stands in a head that begins with such a line. */
export function placeOf(fields: readonly string[], index: number, line: string): ValuePlace {
  const [name = '', value = ''] = [fields[index - 1], fields[index]];
  const before = lines(fields.slice(0, index - 1));
  return { at: line.length + before.length + name.length + 2, length: value.length };
}

/** Whether it is framed by its last field. */
export function endsWithLength(headers: RawHeaders): boolean {
  return headers.at(-2) === 'Content-Length';
}

/** Where the last such field's value is, or -1. */
export function lastField(headers: readonly string[], name: string): number {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    if (headers[i]?.toLowerCase() === name) return i + 1;
  }
  return -1;
}

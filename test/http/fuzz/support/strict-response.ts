import {
  type Fields,
  strictChunked,
  strictFields,
  strictFraming,
  strictLines,
} from './strict-fields.ts';

/** A final response as a client sees it. */
export interface StrictResponse {
  readonly status: number;
  readonly fields: Fields;
  readonly body: Buffer;
  /** Whether the message says that this is all of it. RFC 9112 section 8. */
  readonly complete: boolean;
}

/** How a connection ended: in order, by a reset, or because the client itself had enough. */
export type Ending = 'closed' | 'reset' | 'left';

/** What a client got, or why that is no HTTP. */
export type ReadResponses =
  | { readonly kind: 'responses'; readonly responses: readonly StrictResponse[] }
  | { readonly kind: 'malformed'; readonly why: string };

/**
 * Reads the responses to requests with these methods; for what comes behind them the method is GET.
 * After a 101 nothing more is HTTP.
 */
export function readResponses(
  bytes: Buffer,
  methods: readonly string[],
  ending: Ending,
): ReadResponses {
  const responses: StrictResponse[] = [];
  let at = 0;
  while (at < bytes.length) {
    const headEnd = bytes.indexOf('\r\n\r\n', at, 'latin1');
    if (headEnd === -1) break;
    const lines = strictLines(bytes.toString('latin1', at, headEnd));
    const line = /^HTTP\/1\.1 ([1-9]\d\d) [^\r\n\0]*$/.exec(lines?.[0] ?? '');
    const fields = strictFields(lines?.slice(1) ?? []);
    const why = `at ${at}: ${JSON.stringify(bytes.toString('latin1', at, Math.min(headEnd, at + 1000)))}`;
    if (line === null || fields === undefined) return { kind: 'malformed', why };
    const status = Number(line[1]);
    const framing = strictFraming(fields);
    if (framing.kind === 'ambiguous') return { kind: 'malformed', why: `framing ${why}` };
    at = headEnd + 4;
    if (status < 200 && status !== 101) continue;
    const method = methods[responses.length] ?? 'GET';
    if (method === 'HEAD' || status < 200 || status === 204 || status === 304) {
      responses.push({ status, fields, body: Buffer.alloc(0), complete: true });
      if (status === 101) return { kind: 'responses', responses };
      continue;
    }
    switch (framing.kind) {
      case 'length': {
        const body = bytes.subarray(at, at + framing.length);
        responses.push({ status, fields, body, complete: body.length === framing.length });
        at += framing.length;
        break;
      }
      case 'chunked': {
        const read = strictChunked(bytes, at);
        if (read.kind === 'malformed') return { kind: 'malformed', why: `chunks ${why}` };
        responses.push({ status, fields, body: read.body, complete: read.kind === 'whole' });
        at = read.kind === 'whole' ? read.end : bytes.length;
        break;
      }
      case 'none':
        responses.push({ status, fields, body: bytes.subarray(at), complete: ending === 'closed' });
        at = bytes.length;
        break;
    }
  }
  return { kind: 'responses', responses };
}

/** Whether each of these requests has its whole response. */
export function allAnswered(bytes: Buffer, methods: readonly string[]): boolean {
  const read = readResponses(bytes, methods, 'left');
  if (read.kind === 'malformed') return true;
  const whole = read.responses.filter(({ complete }) => complete).length;
  return whole >= methods.length;
}

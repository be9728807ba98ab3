import { type ServerResponse, STATUS_CODES } from 'node:http';

/** Field names and values that a reply adds to its own. */
export type ReplyFields = Readonly<Record<string, string | readonly string[]>>;

/** Sends a whole body; Node leaves it out by itself where the request was a HEAD. */
export function sendBody(
  response: ServerResponse,
  status: number,
  contentType: string,
  body: string,
  fields: ReplyFields = {},
): void {
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...fields,
  });
  response.end(body);
}

/** JSON, indented: it is read by people as often as by programs. */
export function sendJson(response: ServerResponse, status: number, value: object): void {
  sendBody(response, status, 'application/json', `${JSON.stringify(value, null, 2)}\n`);
}

/** An error as a problem document. RFC 9457. */
export function sendProblem(
  response: ServerResponse,
  status: number,
  detail: string,
  fields: ReplyFields = {},
): void {
  const problem = { type: 'about:blank', title: STATUS_CODES[status], status, detail };
  const body = `${JSON.stringify(problem, null, 2)}\n`;
  sendBody(response, status, 'application/problem+json', body, fields);
}

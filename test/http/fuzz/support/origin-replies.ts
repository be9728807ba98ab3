import { malformedReplies } from './malformed-replies.ts';
import type { OriginReply, Question } from './origin-reply.ts';
import type { Random } from './random.ts';
import { valuesOf } from './strict-fields.ts';

const cacheFields = [
  ...(['', 'Cache-Control: max-age=100', 'Cache-Control: max-age=100', 'Vary: *'] as const),
  ...(['Cache-Control: no-store', 'Cache-Control: private', 'Cache-Control: max-age=0'] as const),
  'Cache-Control: max-age=0, stale-while-revalidate=50',
  'Cache-Control: max-age=1, must-revalidate',
  'Cache-Control: max-age=99999999999999999999',
  'Cache-Control: max-age="100", ,,=, s-maxage=-1',
  'Cache-Control: no-cache="a, max-age=100',
  'Vary: Variant\r\nCache-Control: max-age=100',
  'Vary: Variant, ,accept-encoding\r\nVary: \r\nCache-Control: max-age=100',
  'CDN-Cache-Control: max-age=10, x=(1 2 "',
  'Expires: 0',
  'Expires: Sun, 06 Nov 1994 08:49:37 GMT\r\nExpires: x',
  'Date: yesterday\r\nCache-Control: max-age=100',
  'Date: Fri, 01 Jan 2100 00:00:00 GMT\r\nExpires: Fri, 01 Jan 2100 00:01:00 GMT',
  'Age: 18446744073709551616\r\nCache-Control: max-age=100',
  'Age: -1, 5\r\nCache-Control: max-age=100',
  'Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT',
  'Last-Modified: never\r\nCache-Control: max-age=0',
  'Set-Cookie: a=b\r\nCache-Control: max-age=100',
  'Connection: X-Hop, close\r\nX-Hop: 1',
  'Keep-Alive: timeout=x',
  'Content-Encoding: gzip\r\nCache-Control: max-age=100',
  'Content-Type: multipart/byteranges; boundary=',
  'Accept-Ranges: none',
  'X-Latin: \xe4\xff\x80\r\nX-Empty:',
  'Location: /files/e1\r\nContent-Location: /files/e2',
  'Cache-Status: other; hit\r\nAge: 5',
] as const;

const statuses = ['404', '500', '503', '429', '410', '301', '451', '599', '999'] as const;

/** End-to-end fields for a reply; the strong tag is only ever that of the whole body. */
export function someFields(random: Random): string {
  const tag = random.pick(['ETag: "whole"\r\n', 'ETag: "whole"\r\n', 'ETag: W/"whole"\r\n', '']);
  const more = random.pick(cacheFields);
  return `${tag}${more === '' ? '' : `${more}\r\n`}`;
}

/** A reply to a question: a right one more often than not. */
export function replyTo(question: Question): OriginReply {
  const { random } = question;
  if (random.chance(0.4)) return random.pick(malformedReplies)(question);
  if (random.chance(0.1)) {
    const status = random.pick(statuses);
    const retry = random.chance(0.2) ? 'Retry-After: 0\r\n' : '';
    return { pieces: [`HTTP/1.1 ${status} X\r\n${retry}Content-Length: 0\r\n\r\n`], after: 'keep' };
  }
  return rightReply(question);
}

/** What RFC 9110 asks for, in one of the framings, at some pace. */
export function rightReply(question: Question): OriginReply {
  const { request, resource, random, fields, sent } = question;
  const { body } = resource;
  const after = 'keep';
  const [ifNoneMatch] = valuesOf(request.fields, 'if-none-match');
  if (ifNoneMatch?.includes('"whole"') && fields.includes('"whole"') && random.chance(0.8)) {
    return { pieces: [`HTTP/1.1 304 Not Modified\r\n${fields}\r\n`], after };
  }
  const range = /^bytes=(\d{1,9})-(\d{0,9})$/.exec(valuesOf(request.fields, 'range')[0] ?? '');
  if (range !== null && request.method === 'GET' && random.chance(0.8)) {
    const first = Number(range[1]);
    const last = range[2] ? Math.min(Number(range[2]), body.length - 1) : body.length - 1;
    if (first >= body.length) {
      const size = `Content-Range: bytes */${body.length}\r\n`;
      return { pieces: [`HTTP/1.1 416 X\r\n${size}Content-Length: 0\r\n\r\n`], after };
    }
    if (first <= last) {
      const content = `Content-Range: bytes ${first}-${last}/${body.length}\r\n`;
      const length = `Content-Length: ${last - first + 1}\r\n`;
      const part = body.subarray(first, last + 1);
      const head = `HTTP/1.1 206 Partial Content\r\n${fields}${content}${length}\r\n`;
      return { pieces: [head, ...paced(part, random)], after };
    }
  }
  const early = random.chance(0.1) ? 'HTTP/1.1 103 Early Hints\r\nLink: </e1>\r\n\r\n' : '';
  const head = `${early}HTTP/1.1 200 OK\r\n${fields}`;
  if (random.chance(0.2)) {
    const chunks = paced(sent(body), random).flatMap((piece): (string | Uint8Array | number)[] =>
      typeof piece === 'number' ? [piece] : [`${piece.length.toString(16)}\r\n`, piece, '\r\n'],
    );
    const end = random.pick(['0\r\n\r\n', '0\r\nX-Trailer: t\r\n\r\n', '000;a=b\r\n\r\n']);
    const coded = request.method === 'HEAD' ? [] : [...chunks, end];
    return { pieces: [`${head}Transfer-Encoding: chunked\r\n\r\n`, ...coded], after };
  }
  if (random.chance(0.1)) {
    return { pieces: [`${head}\r\n`, ...paced(sent(body), random)], after: 'close' };
  }
  const length = `Content-Length: ${body.length}\r\n\r\n`;
  return { pieces: [`${head}${length}`, ...paced(sent(body), random)], after };
}

/** The body at once, or in pieces with pauses. */
function paced(body: Uint8Array, random: Random): (Uint8Array | number)[] {
  if (body.length === 0) return [];
  if (random.chance(0.7)) return [body];
  const step = Math.ceil(body.length / (1 + random.below(8)));
  const pieces: (Uint8Array | number)[] = [];
  for (let at = 0; at < body.length; at += step) {
    pieces.push(body.subarray(at, at + step), random.below(40));
  }
  return pieces;
}

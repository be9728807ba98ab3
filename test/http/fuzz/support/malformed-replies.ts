import type { OriginReply, Question } from './origin-reply.ts';

type Malformed = (question: Question) => OriginReply;

const ok = 'HTTP/1.1 200 OK\r\n';

/** The whole body behind a head that can be read in two ways: no client may see it as complete. */
const ambiguous = [
  'Content-Length: 5\r\nContent-Length: 6',
  'Content-Length: 5, 6',
  'Content-Length: +5',
  'Content-Length: -5',
  'Content-Length: 5x',
  'Content-Length: 18446744073709551621',
  'Content-Length : 5',
  'Content-Length: 5\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nContent-Length: 5',
  'Transfer-Encoding: chunked, x',
  'Transfer-Encoding: x',
  'Transfer-Encoding: \u000bchunked',
  'X: a\r\n b\r\nContent-Length: 5',
  'X: a\rb\r\nContent-Length: 5',
  'X: a\0b\r\nContent-Length: 5',
  'no colon\r\nContent-Length: 5',
  ': no name\r\nContent-Length: 5',
  `X: ${'a'.repeat(70_000)}\r\nContent-Length: 5`,
].map(
  (framing): Malformed =>
    ({ resource, fields, random }) => ({
      pieces: [`${ok}${fields}${framing}\r\n\r\n`, resource.body],
      after: random.pick(['keep', 'close', 'reset']),
    }),
);

/** What is no response at all. */
const noResponse = [
  'garbage\r\n\r\n',
  'HTTP/1.1 OK\r\n\r\n',
  'HTTP/1.1 2000 OK\r\n\r\n',
  'HTTP/1.1 099 OK\r\n\r\n',
  'HTTP/2 200\r\n\r\n',
  'HTTP/1.1 200 OK\nContent-Length: 0\n\n',
  'HTTP/1.1 200 OK\r\nX: y',
  '\0\0\u0012\u0004\0\0\0\0\0',
  'HTTP/1.1 100 Continue\r\n\r\n'.repeat(300),
  'HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n'.repeat(300),
  '',
].map(
  (text): Malformed =>
    ({ random }) => ({ pieces: [text], after: random.pick(['close', 'reset', 'hang']) }),
);

/** A 206 that was not asked for, or does not say what it is. */
const junk206 = [
  'Content-Range: bytes 5-9/10000000',
  'Content-Range: bytes 5-8/10',
  'Content-Range: bytes 9-5/10',
  'Content-Range: bytes 5-9/7',
  'Content-Range: bytes 5-9/*',
  'Content-Range: bytes */10',
  'Content-Range: lines 5-9/10',
  'Content-Range: bytes=5-9/10',
  'Content-Range: bytes 5-9/10, bytes 5-9/10',
  'Content-Range: ',
  'X: none',
  'Content-Type: multipart/byteranges; boundary=x',
].map(
  (content): Malformed =>
    ({ fields, resource, sent }) => {
      const part = sent(resource.body.subarray(5, 10));
      const length = Math.min(5, Math.max(0, resource.body.length - 5));
      const head = `HTTP/1.1 206 Partial Content\r\n${fields}${content}\r\nContent-Length: ${length}`;
      return { pieces: [`${head}\r\n\r\n`, part], after: 'keep' };
    },
);

/** Bodies that end too early: incomplete, and to be seen as that. */
const cutOff: readonly Malformed[] = [
  ({ fields, resource: { body }, random }) => ({
    pieces: [`${ok}${fields}Content-Length: ${body.length + 10}\r\n\r\n`, body],
    after: random.pick(['close', 'reset', 'hang']),
  }),
  ({ fields, resource: { body }, random, sent }) => ({
    pieces: [
      `${ok}${fields}Content-Length: ${body.length}\r\n\r\n`,
      sent(body.subarray(0, body.length >> 1)),
    ],
    after: random.pick(['close', 'reset', 'hang']),
  }),
  ({ fields, resource: { body }, sent }) => ({
    pieces: [`${ok}${fields}\r\n`, sent(body.subarray(0, body.length >> 1)), 20],
    after: 'reset',
  }),
  ({ fields, resource: { body }, random, request }) => ({
    pieces: [
      `${ok}${fields}Transfer-Encoding: chunked\r\n\r\n`,
      ...(request.method === 'HEAD' ? [] : [chunk(body, random.pick(chunkHeads)), body]),
    ],
    after: random.pick(['close', 'reset', 'hang']),
  }),
];

const chunkHeads = [
  (size: string) => `${size}zz\r\n`,
  (size: string) => `-${size}\r\n`,
  (size: string) => `0x${size}\r\n`,
  (size: string) => `${size}\n`,
  (size: string) => `fffffffffffffff${size}\r\n`,
  (size: string) => `${size}\r\n`,
  (size: string) => `${size}0\r\n`,
  (size: string) => `${size};${'a'.repeat(70_000)}\r\n`,
] as const;

function chunk(body: Uint8Array, head: (size: string) => string): string {
  return head((body.length + 1).toString(16));
}

/** Whole, but not of the length that the body has: what the framing says is what it is. */
const shorter: readonly Malformed[] = [
  (question) => {
    const half = declaredHalf(question);
    const head = `${ok}${untagged(question.fields)}Content-Length: ${half.length}\r\n\r\n`;
    // In one piece: a response that is complete does not wait for what may follow.
    return {
      pieces: [Buffer.concat([Buffer.from(head, 'latin1'), question.sent(question.resource.body)])],
      after: 'keep',
    };
  },
  (question) => {
    const half = declaredHalf(question);
    return {
      pieces: [`${ok}${untagged(question.fields)}\r\n`, question.sent(half)],
      after: 'close',
    };
  },
  (question) => {
    const { body } = question.resource;
    const evil = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nEVIL!';
    const head = `${ok}${question.fields}Content-Length: ${body.length}\r\n\r\n`;
    const whole = Buffer.concat([Buffer.from(head, 'latin1'), question.sent(body)]);
    // Only what comes together with the response can be told from the next one.
    const tail = whole.length < 20_000 ? evil : '';
    return { pieces: [Buffer.concat([whole, Buffer.from(tail)])], after: 'keep' };
  },
];

/** The first half of the body, which from now on may be the whole of a response. */
function declaredHalf({ resource }: Question): Uint8Array {
  const half = resource.body.subarray(0, resource.body.length >> 1);
  resource.lengths.add(half.length);
  return half;
}

/** Another length is another representation. */
function untagged(fields: string): string {
  return fields.replaceAll('"whole"', '"half"');
}

/** Right in itself, wrong here. */
const misplaced: readonly Malformed[] = [
  ({ fields }) => ({ pieces: [`HTTP/1.1 304 Not Modified\r\n${fields}\r\n`], after: 'keep' }),
  ({ fields }) => ({
    pieces: [`HTTP/1.1 304 Not Modified\r\n${fields}Content-Length: 5\r\n\r\n`],
    after: 'keep',
  }),
  ({ fields }) => ({ pieces: [`HTTP/1.1 204 No Content\r\n${fields}\r\n`], after: 'keep' }),
  ({ fields }) => ({
    pieces: [`HTTP/1.1 416 X\r\n${fields}Content-Range: bytes */0\r\nContent-Length: 0\r\n\r\n`],
    after: 'keep',
  }),
  () => ({
    pieces: ['HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n', 'frames'],
    after: 'tunnel',
  }),
  ({ fields, resource, sent }) => {
    const head = `${ok}${'X: y\r\n'.repeat(5000)}${fields}`;
    return {
      pieces: [`${head}Content-Length: ${resource.body.length}\r\n\r\n`, sent(resource.body)],
      after: 'keep',
    };
  },
];

export const malformedReplies: readonly [Malformed, ...Malformed[]] = [
  () => ({ pieces: [], after: 'reset' }),
  ...cutOff,
  ...shorter,
  ...misplaced,
  ...cutOff,
  ...shorter,
  ...ambiguous,
  ...noResponse,
  ...junk206,
];

import fc from 'fast-check';

/** Something said on a connection, and what answers it has. */
export interface Step {
  readonly pieces: readonly string[];
  readonly methods: readonly string[];
  /** Milliseconds that pass before. */
  readonly pause: number;
}

/** One request as it is on the wire. */
export interface Message {
  readonly method: string;
  readonly bytes: string;
}

const paths = ['/a', '/b', '/big', '/middle', '/short', '/moved', '/gone', '/empty', '/private'];

/** What clients send again and again. */
const blocks: readonly (readonly string[])[] = [
  [],
  ['Accept: */*', 'User-Agent: curl/8.0'],
  [
    'Connection: keep-alive',
    'user-agent: npm/11',
    'npm-command: ci',
    'npm-session: 1',
    'accept: */*',
  ],
  ['If-None-Match: "one"'],
  ['Accept: */*', 'Range: bytes=3-65000'],
];

/** Fields that most clients send, as they spell them. */
const ordinaryFields = [
  'Accept: application/json',
  'Accept-Encoding: gzip, deflate',
  'User-Agent: npm/11.0.0 node/v26.0.0 linux x64',
  'npm-command: install',
  'npm-session: 1234',
  'Connection: keep-alive',
  'connection: Keep-Alive',
  'Accept-Language: en',
  'Referer: http://example.com/',
  'X-Request-Id: 1',
];

/** Fields on which the answer, or the rest of the connection, depends. */
const consequentialFields = [
  'If-None-Match: "one"',
  'If-None-Match: W/"one"',
  'If-None-Match: "two", "one"',
  'If-None-Match: *',
  'If-Match: "two"',
  'If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT',
  'If-Modified-Since: yesterday',
  'Range: bytes=0-1',
  'Range: bytes=5-',
  'Range: bytes=99999999-',
  'Range: bytes=-3',
  'Range: bytes=-0',
  'Range: bytes=7-3',
  'Range: bytes=1-2,3-5',
  'Range: bytes=1-2\r\n ,4-5',
  'Range: bytes=1-2\r\nRange: bytes=4-5',
  'Range: bytes=1-2\r\nIf-Range: "one"',
  'Range: Bytes = 1-2',
  'range:bytes=1-2',
  'X-Range: bytes=1-2',
  'Cache-Control: no-cache',
  'Cache-Control: max-age=0',
  'Cache-Control: only-if-cached',
  'Pragma: no-cache',
  'Authorization: Bearer me',
  'Cookie: a=b',
  'Millrace-Debug: token',
  'Millrace-Debug: wrong',
  'Via: 1.1 proxy.example.com',
  'Forwarded: host=other.example.com',
  'Connection: close',
  'Connection: keep-alive, close',
  'Connection: x',
  'TE: trailers',
  'Upgrade: h2c',
  'Expect: 100-continue',
  'Expect: x',
  'Content-Length: 0',
  'Content-Length: 00',
  'Content-Length: +0',
  'Transfer-Encoding: identity',
  'Host: other.example.com',
  'Host : gateway.test',
  'A: b\r\n c',
  'A: b\rc',
  'A: b\nc',
  'A:\tb',
  'A: b ',
  'A:b',
  'A:',
  ': b',
  'no colon',
  'A: \u00e4',
  ...Array.from({ length: 2 }, (_, i) =>
    Array.from({ length: 60 + 150 * i }, (__, j) => `F${j}: ${j}`).join('\r\n'),
  ),
];

const fields = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...blocks) },
  { weight: 1, arbitrary: fc.subarray(ordinaryFields) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.subarray(ordinaryFields, { maxLength: 3 }), fc.constantFrom(...consequentialFields))
      .map(([before, field]) => [...before, field]),
  },
);

/** A request for something that is stored, or anything near it; whole, or such that it is refused. */
export function message(origin: string): fc.Arbitrary<Message> {
  const target = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...paths).map((path) => `/files${path}`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        `${origin}/a`,
        '/files/a?b',
        '/files/%61',
        '/files/./a',
        '/files/a#b',
        '/files/a\u00e4',
        'files/a',
        '*',
        '/',
        '/nothing',
        '/files/a b',
      ),
    },
  );
  return fc
    .record({
      method: fc.oneof(
        { weight: 16, arbitrary: fc.constant('GET') },
        { weight: 1, arbitrary: fc.constantFrom('HEAD', 'OPTIONS', 'get', 'POST') },
      ),
      target,
      version: fc.oneof(
        { weight: 25, arbitrary: fc.constant('HTTP/1.1') },
        { weight: 1, arbitrary: fc.constantFrom('HTTP/1.0', 'HTTP/1.2', 'http/1.1') },
      ),
      host: fc.oneof(
        { weight: 25, arbitrary: fc.constant(['Host: gateway.test']) },
        { weight: 1, arbitrary: fc.constantFrom([], ['Host: a/b'], ['host: Gateway.test:80']) },
      ),
      fields,
      before: fc.oneof(
        { weight: 25, arbitrary: fc.constant('') },
        { weight: 1, arbitrary: fc.constantFrom('\r\n', '\r\n\r\n') },
      ),
    })
    .map(({ method, target: at, version, host, fields: lines, before }) => {
      const body = method === 'POST' && !lines.some((line) => /^(content|transfer)/i.test(line));
      const all = [...host, ...lines, ...(body ? ['Content-Length: 4'] : [])];
      const head = [`${method} ${at} ${version}`, ...all].join('\r\n');
      return { method, bytes: `${before}${head}\r\n\r\n${body ? 'body' : ''}` };
    });
}

/** What is said on one connection: requests alone, ahead of their answers, and in pieces. */
export function conversation(origin: string): fc.Arbitrary<readonly Step[]> {
  const pause = fc.oneof(
    { weight: 5, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: fc.constantFrom(1, 300, 999, 1000, 2500) },
    { weight: 1, arbitrary: fc.constant(70_000) },
  );
  const step = fc
    .record({
      messages: fc.oneof(
        { weight: 4, arbitrary: fc.array(message(origin), { minLength: 1, maxLength: 1 }) },
        { weight: 1, arbitrary: fc.array(message(origin), { minLength: 2, maxLength: 4 }) },
      ),
      cuts: fc.oneof(
        { weight: 4, arbitrary: fc.constant<number[]>([]) },
        { weight: 1, arbitrary: fc.array(fc.nat(400), { maxLength: 4 }) },
      ),
      pause,
    })
    .map(({ messages, cuts, pause: milliseconds }): Step => {
      const bytes = messages.map((each) => each.bytes).join('');
      const at = [0, ...cuts.filter((cut) => cut < bytes.length), bytes.length].sort(
        (a, b) => a - b,
      );
      const pieces = at.slice(1).map((end, i) => bytes.slice(at[i], end));
      return {
        pieces: pieces.filter((piece) => piece !== ''),
        methods: messages.map(({ method }) => method),
        pause: milliseconds,
      };
    });
  return fc.array(step, { minLength: 2, maxLength: 12 });
}

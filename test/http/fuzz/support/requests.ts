import { malformedBodies, malformedHeads } from './malformed-requests.ts';
import { mutate } from './mutate.ts';
import type { Random } from './random.ts';
import { exactCount } from './resources.ts';

/** What one connection says. */
export interface Conversation {
  /** latin1. */
  readonly text: string;
  /** Nothing in it is meant to be malformed. */
  readonly wellFormed: boolean;
}

const methods = [
  ...(['GET', 'GET', 'GET', 'GET', 'GET', 'GET', 'HEAD', 'POST'] as const),
  ...(['PUT', 'DELETE', 'OPTIONS', 'FOO', 'PATCH', 'TRACE'] as const),
] as const;

const ranges = [
  ...(['0-0', '5-9', '-5', '100-', '0-', '-0', '0-1,5-6', '0-1, 3-4 ,-1', '9-5'] as const),
  ...(['x', '', '200000-', '60000-69999', '0-18446744073709551616', '-', '1-2-3', '5'] as const),
  '0-0,'.repeat(300),
] as const;

const dates = [
  'Sun, 06 Nov 1994 08:49:37 GMT',
  'Sunday, 06-Nov-94 08:49:37 GMT',
  'Sun Nov  6 08:49:37 1994',
  'Fri, 01 Jan 2100 00:00:00 GMT',
  '0',
  'Sun, 32 Foo 1994 99:99:99 GMT',
  'tomorrow',
  '',
] as const;

const directives = [
  ...(['no-cache', 'no-store', 'max-age=0', 'max-stale', 'max-stale=99999999999'] as const),
  ...(['min-fresh=5', 'only-if-cached', 'no-transform', 'max-age=-1', 'max-age="1'] as const),
  ...([',,,=,', 'x="a, no-store"', 'MAX-AGE=00000000000000000000001', '"'] as const),
] as const;

const tags = ['"whole"', 'W/"whole"', '*', '"a", "b"', '"', '', 'W/', 'x', '"whole'] as const;

const otherFields = [
  'Connection: keep-alive, X-Hop\r\nX-Hop: 1',
  'Connection: ,,close',
  'TE: trailers\r\nConnection: TE',
  'Upgrade: websocket\r\nConnection: Upgrade',
  'Upgrade: h2c\r\nConnection: Upgrade',
  'Expect: 100-continue',
  'Expect: wonders',
  'Authorization: Basic eDp5',
  'Proxy-Authorization: Basic eDp5',
  'Proxy-Connection: keep-alive',
  'Cookie: a=b; c="d',
  'Accept-Encoding: gzip, br;q=0, *;q=x',
  'Via: 1.1 other, 1.0 ',
  'Forwarded: for="[::1]";host=,;',
  'X-Forwarded-For: 10.0.0.1, junk',
  'X-Forwarded-Host: example.org\r\nX-Forwarded-Proto: gopher',
  'Max-Forwards: 0',
  'Variant: 1',
  'Variant: 2',
  'Pragma: no-cache',
  'X-Empty:',
  'X-Latin: \xe4\xff\x80',
] as const;

/** One or a few requests on a connection, valid or not. `id` is of this conversation alone. */
export function conversation(random: Random, id: string, origin: string): Conversation {
  const count = random.chance(0.3) ? 2 + random.below(random.chance(0.1) ? 40 : 4) : 1;
  const evil = `GET /files/evil-${id} HTTP/1.1\r\nHost: x\r\n\r\n`;
  const whole = Array.from({ length: count }, (_, index) =>
    request(random, `${id}-${index}`, origin, evil),
  ).join('');
  if (random.chance(0.4)) return { text: whole, wellFormed: true };
  const text = random.chance(0.4)
    ? malformed(random, whole, evil)
    : stayingHome(whole, origin, random);
  return { text, wellFormed: false };
}

/** A well-formed request; its body, where it has one, looks like a request. */
function request(random: Random, id: string, origin: string, evil: string): string {
  const method = random.pick(methods);
  const name = random.chance(0.75) ? `e${random.below(exactCount)}` : `m${random.below(30)}`;
  const query = random.chance(0.35) ? `?${id}` : '';
  const surface = random.chance(0.5) ? '' : origin;
  const fields = [`Host: ${random.pick(['x', 'example.org', '127.0.0.1:80', ''])}`];
  const maybe = (probability: number, field: () => string): void => {
    if (random.chance(probability)) fields.push(field());
  };
  maybe(0.3, () => `Range: bytes=${random.pick(ranges)}`);
  maybe(0.1, () => `If-Range: ${random.pick(['"whole"', 'W/"whole"', ...dates])}`);
  maybe(0.2, () => `If-None-Match: ${random.pick(tags)}`);
  maybe(0.1, () => `If-Modified-Since: ${random.pick(dates)}`);
  maybe(0.05, () => `If-Match: ${random.pick(tags)}`);
  maybe(0.05, () => `If-Unmodified-Since: ${random.pick(dates)}`);
  maybe(0.25, () => `Cache-Control: ${random.pick(directives)}`);
  maybe(0.25, () => random.pick(otherFields));
  maybe(0.1, () => random.pick(otherFields));
  maybe(0.1, () => 'Connection: close');
  const version = random.chance(0.9) ? '1.1' : '1.0';
  const mayHaveBody = version === '1.1' && (random.chance(0.05) || !/GET|HEAD/.test(method));
  const framed = mayHaveBody ? body(random, evil) : '\r\n';
  const head = `${method} ${surface}/files/${name}${query} HTTP/${version}`;
  return `${head}\r\n${fields.map((field) => `${field}\r\n`).join('')}${framed}`;
}

/** The framing field, the empty line and the body. */
function body(random: Random, evil: string): string {
  const text = random.pick(['', 'abc', evil, evil + evil, `0\r\n\r\n${evil}`, 'x'.repeat(90_000)]);
  if (random.chance(0.5)) return `Content-Length: ${text.length}\r\n\r\n${text}`;
  const extension = random.chance(0.2) ? ';a=b;c="d e"' : '';
  const trailer = random.chance(0.2) ? 'X-Trailer: t\r\n' : '';
  const chunk = text === '' ? '' : `${text.length.toString(16)}${extension}\r\n${text}\r\n`;
  return `Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n${trailer}\r\n`;
}

/** A request that is malformed in a known way, behind valid ones or alone, and an evil one behind it. */
function malformed(random: Random, whole: string, evil: string): string {
  const before = random.chance(0.3) ? whole : '';
  const method = random.pick(['GET', 'POST', 'PUT', 'DELETE']);
  const line = `${method} /files/e${random.below(exactCount)} HTTP/1.1\r\nHost: x\r\n`;
  const head = random.pick(malformedHeads);
  return random.chance(0.6)
    ? `${before}${head(line, evil)}${evil}`
    : `${before}${line}Transfer-Encoding: chunked\r\n\r\n${random.pick(malformedBodies)}${evil}`;
}

/** A mutation that names no other host: only this machine's origin is ever to be asked. */
function stayingHome(text: string, origin: string, random: Random): string {
  for (;;) {
    const mutated = mutate(text, random);
    const names = mutated.match(/https?:\/\/[^/?#\s]*/gi) ?? [];
    if (names.every((name) => name === origin)) return mutated;
  }
}

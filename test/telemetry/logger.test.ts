import { expect, test } from 'vitest';
import { GatewayError } from '../../src/core/errors.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { requestLine } from '../../src/telemetry/request-line.ts';
import { Lines } from './lines.ts';
import { aRecord } from './records.ts';

test('a line is a JSON object with level, ISO time, fields and the static message', () => {
  const stream = new Lines();
  createLogger({ level: 'info', format: 'json', stream }).info({ port: 8080 }, 'listening');
  const [entry] = stream.entries;
  expect(entry).toMatchObject({ level: 'info', port: 8080, msg: 'listening' });
  expect(entry?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(entry).not.toHaveProperty('pid');
});

test.each([
  ['silent', 0],
  ['fatal', 1],
  ['error', 2],
  ['warn', 3],
  ['info', 4],
  ['debug', 5],
  ['trace', 6],
] as const)('at level %s, %i of six lines are written', (level, count) => {
  const stream = new Lines();
  const logger = createLogger({ level, format: 'json', stream });
  for (const each of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) {
    logger[each]({}, 'line');
    expect(logger.enabled(each)).toBe(stream.entries.at(-1)?.level === each);
  }
  expect(stream.entries).toHaveLength(count);
});

test('a child adds its fields and follows a level that changes later', () => {
  const stream = new Lines();
  const root = createLogger({ level: 'info', format: 'json', stream });
  const child = root.child({ room: 'storage' }).child({ tier: 'disk' });
  child.debug({}, 'unheard');
  root.level = 'debug';
  child.debug({ n: 1 }, 'heard');
  expect(root.level).toBe('debug');
  expect(child.level).toBe('debug');
  expect(stream.entries).toEqual([
    expect.objectContaining({ room: 'storage', tier: 'disk', n: 1, msg: 'heard' }),
  ]);
});

test('an error is written as code, origin, message and its chain of causes', () => {
  const stream = new Lines();
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  const cause = new AggregateError([refused], 'all addresses failed');
  const err = new GatewayError('connection_refused', 'No connection.', {
    origin: 'upstream',
    cause,
  });
  createLogger({ level: 'info', format: 'json', stream }).error({ err }, 'upstream failed');
  expect(stream.entries[0]?.err).toEqual({
    code: 'connection_refused',
    origin: 'upstream',
    message: 'No connection.',
    cause: expect.objectContaining({
      name: 'AggregateError',
      message: 'all addresses failed',
      errors: [{ name: 'Error', code: 'ECONNREFUSED', message: 'connect ECONNREFUSED' }],
    }),
  });
});

test('an error without a code is a bug and keeps its stack; one that causes itself ends', () => {
  const stream = new Lines();
  const err = new TypeError('x is not a function');
  err.cause = err;
  createLogger({ level: 'info', format: 'json', stream }).error({ err }, 'bug');
  expect(stream.entries[0]).toMatchObject({
    err: { name: 'TypeError', stack: expect.stringContaining('logger.test.ts') },
  });
});

test('credentials are redacted in fields, nested values, header lists, errors and child fields', () => {
  const stream = new Lines();
  const logger = createLogger({ level: 'info', format: 'json', stream }).child({
    upstream: 'https://user:hunter2@registry.test/',
  });
  logger.warn(
    {
      authorization: 'Bearer hunter2',
      url: new URL('https://registry.test/a?access_token=hunter2&b=1'),
      request: { headers: ['Accept', '*/*', 'Proxy-Authorization', 'Basic hunter2'] },
      err: new Error('GET https://u:hunter2@registry.test/ failed'),
      body: Buffer.from('hunter2'),
    },
    'refused',
  );
  expect(stream.text).not.toContain('hunter2');
  expect(stream.entries[0]).toMatchObject({
    upstream: 'https://***@registry.test/',
    authorization: '***',
    url: 'https://registry.test/a?access_token=***&b=1',
    request: { headers: ['Accept', '*/*', 'Proxy-Authorization', '***'] },
    body: '7 bytes',
  });
});

test('pretty: a request is one sentence, other lines keep their fields, nothing is coloured', () => {
  const stream = new Lines();
  const logger = createLogger({ level: 'info', format: 'pretty', stream });
  const record = aRecord({ outcome: 'failed', status: 502, error: 'dns_error', aborted: true });
  logger.warn(requestLine(record, 2.04), 'request');
  logger.info({ port: 8080 }, 'listening');
  const [request, listening] = stream.text.split('\n');
  expect(request).toMatch(
    /WARN: GET \/npm\/left-pad 502 failed 100 B in 2 ms, the client left \{"error":"dns_error"\}$/,
  );
  expect(listening).toMatch(/INFO: listening \{"port":8080\}$/);
  expect(stream.text).not.toContain('\u001b');
});

test('pretty: colours only on a terminal, and a target cannot bring escapes of its own', () => {
  const stream = Object.assign(new Lines(), { isTTY: true });
  const record = aRecord({ target: '/\u001b[2J' });
  createLogger({ level: 'info', format: 'pretty', stream }).info(requestLine(record, 1), 'request');
  expect(stream.text).toContain('\u001b[32m');
  expect(stream.text).not.toContain('\u001b[2J');
});

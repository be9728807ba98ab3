import { expect, test } from 'vitest';
import { GatewayError } from '../../src/core/errors.ts';
import { FailedValidations } from '../../src/pipeline/failed-validations.ts';

const url = 'http://example.com/a';
const silent = new GatewayError('connection_timeout', 'no answer', { origin: 'upstream' });

function failedAt(now: number, error: unknown = silent): FailedValidations {
  const failures = new FailedValidations();
  failures.failed(url, error, now);
  return failures;
}

test('holds for five seconds', () => {
  const failures = failedAt(10_000);
  expect(failures.recent(url, 10_000)).toBe(silent);
  expect(failures.recent(url, 14_999)).toBe(silent);
  expect(failures.recent(url, 15_000)).toBeUndefined();
  expect(failures.recent('http://example.com/b', 10_000)).toBeUndefined();
});

test('lets one request try again, while it goes on holding for the others', () => {
  const failures = failedAt(0);
  expect(failures.recent(url, 5_000)).toBeUndefined();
  expect(failures.recent(url, 5_000)).toBe(silent);
  expect(failures.recent(url, 9_999)).toBe(silent);
  failures.answered(url);
  expect(failures.recent(url, 9_999)).toBeUndefined();
});

test('is nothing to who comes long after, or when the clock went back', () => {
  const late = failedAt(0);
  expect(late.recent(url, 60_000)).toBeUndefined();
  expect(late.recent(url, 60_000)).toBeUndefined();
  const early = failedAt(60_000);
  expect(early.recent(url, 0)).toBeUndefined();
  expect(early.recent(url, 60_000)).toBeUndefined();
});

test.each([
  [
    'an answer with an error status',
    new GatewayError('destination_unavailable', '503', { origin: 'upstream', receivedStatus: 503 }),
  ],
  ['a client that left', new GatewayError('client_gone', 'gone', { origin: 'client' })],
  ['a fault of ours', new TypeError('undefined is not a function')],
])('%s is not remembered', (_, error) => {
  expect(failedAt(0, error).recent(url, 0)).toBeUndefined();
});

test('keeps the last ten thousand', () => {
  const failures = failedAt(0);
  for (let i = 0; i < 10_000; i++) failures.failed(`${url}/${i}`, silent, 0);
  expect(failures.recent(url, 0)).toBeUndefined();
  expect(failures.recent(`${url}/0`, 0)).toBe(silent);
});

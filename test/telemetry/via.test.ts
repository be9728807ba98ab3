import { expect, test } from 'vitest';
import { appendVia, viaLoops, viaPseudonym } from '../../src/telemetry/via.ts';

const own = viaPseudonym('7f3a-22');

test('the pseudonym carries the instance id', () => {
  expect(own).toBe('millrace-7f3a22');
  expect(() => viaPseudonym('--')).toThrow(TypeError);
});

test.each([
  [undefined, '1.1 millrace'],
  [' ', '1.1 millrace'],
  ['1.0 fred, 1.1 p.example.net', '1.0 fred, 1.1 p.example.net, 1.1 millrace'],
])('Via %j becomes %j (RFC 9110 section 7.6.3)', (existing, expected) => {
  expect(appendVia(existing)).toBe(expected);
});

test('the version of the received message and another name can be said', () => {
  expect(appendVia(undefined, '1.0', own)).toBe('1.0 millrace-7f3a22');
});

test.each([
  [undefined, false],
  ['1.1 millrace', false],
  ['1.1 millrace-other, 1.1 proxy.example.net:8080', false],
  [`1.1 ${own}x`, false],
  [`1.1 proxy (${own}, "${own}")`, false],
  [`1.1 proxy (a \\) , 1.1 ${own} (b))`, false],
  [`1.1 ${own}`, true],
  [`1.0 fred,1.1 ${own} (comment), 1.1 last`, true],
  [`1.1 p (x), HTTP/1.1\t${own}`, true],
])('Via %j loops: %s', (existing, expected) => {
  expect(viaLoops(existing, own)).toBe(expected);
});

test('what one instance appends, it finds again', () => {
  expect(viaLoops(appendVia('1.1 a (c)', '1.1', own), own)).toBe(true);
});

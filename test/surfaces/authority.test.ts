import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAuthority } from '../../src/surfaces/authority.ts';

test.each([
  ['example.com:443', { hostname: 'example.com', port: 443 }],
  ['EXAMPLE.com:8443', { hostname: 'example.com', port: 8443 }],
  ['127.0.0.1:1', { hostname: '127.0.0.1', port: 1 }],
  ['0x7f000001:443', { hostname: '127.0.0.1', port: 443 }],
  ['2130706433:443', { hostname: '127.0.0.1', port: 443 }],
  ['[::1]:65535', { hostname: '[::1]', port: 65_535 }],
  ['[::FFFF:7f00:1]:443', { hostname: '[::ffff:7f00:1]', port: 443 }],
])('%s is read as a URL would be', (text, expected) => {
  expect(parseAuthority(text)).toEqual(expected);
});

test('nothing else is one', () => {
  const wrong = [
    '',
    ':443',
    'a',
    'a:',
    'a:0',
    'a:65536',
    'a:443/',
    'u@a:443',
    'a b:1',
    'a:443:443',
  ];
  expect(wrong.filter((text) => parseAuthority(text) !== undefined)).toEqual([]);
});

test('what is read makes a URL with exactly that host and port, whatever is given', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.webAuthority()), (text) => {
      const read = parseAuthority(text);
      if (read === undefined) return;
      const url = new URL(`http://${read.hostname}:${read.port}/`);
      expect(url.hostname).toBe(read.hostname);
      expect(Number(url.port || 80)).toBe(read.port);
    }),
  );
});

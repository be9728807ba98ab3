import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type HostPattern, matchesAddress, parseHostPattern } from '../../src/core/network.ts';
import { constraintsTo, isPermitted, readConstraints } from '../../src/tls/names.ts';

function pattern(text: string): HostPattern {
  const parsed = parseHostPattern(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.pattern;
}

/** As a certificate has it, read again. */
function written(...patterns: HostPattern[]) {
  return readConstraints(constraintsTo(patterns).toSchema().toBER(false));
}

/** IPv4 in its IPv6 form is the same address to our patterns, and another one to certificates. */
function mayBeMapped(text: string): boolean {
  return text.includes(':') && (text.includes('.') || /ffff:/i.test(text));
}

const loopback = [pattern('127.0.0.0/8'), pattern('::1')];

test.each([
  ['IPv4', fc.ipV4(), 32],
  ['IPv6', fc.ipV6(), 128],
])(
  'networks of %s permit the addresses that are in them, and no other',
  (_kind, address, width) => {
    const plain = address.filter((text) => !mayBeMapped(text));
    const near = fc.record({
      network: plain,
      bits: fc.integer({ min: 0, max: width }),
      other: plain,
    });
    fc.assert(
      fc.property(near, ({ network, bits, other }) => {
        const named = pattern(`${network}/${bits}`);
        const permitted = written(named);
        for (const each of [network, other]) {
          expect(isPermitted(permitted, each)).toBe(matchesAddress([named, ...loopback], each));
        }
      }),
      { numRuns: 300 },
    );
  },
);

test.each([
  ['example.com', true],
  ['a.example.com', true],
  ['a.b.example.com', true],
  ['xexample.com', false],
  ['com', false],
  ['example.com.evil.test', false],
  ['localhost', true],
  ['192.0.2.1', false],
])('a constraint to example.com permits %s: %s', (host, expected) => {
  expect(isPermitted(written(pattern('example.com')), host)).toBe(expected);
  expect(isPermitted(written(pattern('*.example.com')), host)).toBe(expected);
});

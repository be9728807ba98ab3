import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalUrl } from '../../src/core/canonical-url.ts';

test('the scheme, the host and the port get their one spelling, the rest stays as it is', () => {
  const spelled: readonly (readonly [string, string | undefined])[] = [
    ['http://example.com/a?b=C', 'http://example.com/a?b=C'],
    ['HTTP://Example.COM:80/a', 'http://example.com/a'],
    ['https://example.com:443', 'https://example.com/'],
    ['https://example.com:8443/a#part', 'https://example.com:8443/a'],
    ['http://user:word@example.com/a', 'http://example.com/a'],
    ['http://127.1/a', 'http://127.0.0.1/a'],
    ['http://0x7f.0.0.1/a', 'http://127.0.0.1/a'],
    ['http://127.0.0.1:8080/a', 'http://127.0.0.1:8080/a'],
    ['http://example.com?b', 'http://example.com/?b'],
    ['http://b\u00fccher.example/a', 'http://xn--bcher-kva.example/a'],
    ['http://256.0.0.1/', undefined],
    ['http://example.com:70000/', undefined],
    ['ftp://example.com/', undefined],
    ['/a', undefined],
  ];
  for (const [text, url] of spelled) expect(canonicalUrl(text)).toBe(url);
});

test('what is taken for canonical at a glance is what parsing makes of it', () => {
  const piece = fc.constantFrom('a', 'z', 'x', 'n', '0', '1', '9', '25', '.', '-', '--', ':', 'A');
  const authority = fc.array(piece, { minLength: 1, maxLength: 9 }).map((all) => all.join(''));
  const suffix = fc.oneof(
    fc.constant(''),
    fc.integer({ min: 0, max: 70_000 }).map((number) => `:${number}`),
  );
  const scheme = fc.constantFrom('http', 'https');
  fc.assert(
    fc.property(scheme, authority, suffix, (name, host, port) => {
      const text = `${name}://${host}${port}/a?b`;
      const parsed = URL.canParse(text) ? new URL(text) : undefined;
      expect(canonicalUrl(text)).toBe(parsed && `${parsed.protocol}//${parsed.host}/a?b`);
    }),
    { numRuns: 2_000 },
  );
});

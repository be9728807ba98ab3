import { expect, test } from 'vitest';
import { proxyStatusField } from '../../src/telemetry/proxy-status.ts';

test('a registered error stands as it is, with next hop and details', () => {
  expect(
    proxyStatusField({
      error: 'connection_refused',
      nextHop: 'http://registry.test:4873',
      detail: 'Nothing listens there.',
    }),
  ).toBe(
    'millrace; error=connection_refused; next-hop="registry.test:4873"; details="Nothing listens there."',
  );
});

test('without more there is the error alone', () => {
  expect(proxyStatusField({ error: 'dns_error' })).toBe('millrace; error=dns_error');
});

test.each([
  ['redirect_loop', 'http_protocol_error'],
  ['digest_mismatch', 'http_protocol_error'],
  ['representation_changed', 'http_response_incomplete'],
  ['stored_body_missing', 'proxy_internal_error'],
  ['storage_full', 'proxy_internal_error'],
  ['storage_failed', 'proxy_internal_error'],
  ['client_gone', 'http_request_error'],
  ['not_cached', 'proxy_internal_response'],
  ['shutting_down', 'proxy_internal_response'],
] as const)('%s is said by %s, with its own name in details', (error, registered) => {
  expect(proxyStatusField({ error })).toBe(`millrace; error=${registered}; details="${error}"`);
});

test('the upstream status is said, quotes are escaped, credentials are not told', () => {
  expect(
    proxyStatusField({
      error: 'digest_mismatch',
      receivedStatus: 200,
      detail: 'body of "http://u:p@registry.test/a" differs',
    }),
  ).toBe(
    'millrace; error=http_protocol_error; received-status=200; ' +
      'details="digest_mismatch: body of \\"http://***@registry.test/a\\" differs"',
  );
});

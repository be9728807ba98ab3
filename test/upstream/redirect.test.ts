import { expect, it } from 'vitest';
import { redirectTarget } from '../../src/upstream/redirect.ts';
import type { UpstreamResponse } from '../../src/upstream/upstream.ts';

function at(url: string, location: string): UpstreamResponse {
  const headers = ['Location', location];
  const none = (): void => {};
  const times = { requestTime: 0, responseTime: 0 };
  return {
    status: 302,
    url,
    origin: '',
    headers,
    ...times,
    consume: none,
    takeWhole: () => false,
    resume: none,
    giveBack: none,
    abort: none,
  };
}

it('never leads out of TLS', () => {
  expect(() => redirectTarget(at('https://a.test/', 'http://a.test/'))).toThrow(
    expect.objectContaining({ code: 'http_request_denied', origin: 'upstream' }),
  );
  expect(redirectTarget(at('https://a.test/', '//B.test'))).toBe('https://b.test/');
  expect(redirectTarget(at('http://a.test/', 'https://a.test/'))).toBe('https://a.test/');
});

it('drops credentials and fragments, and refuses two places at once', () => {
  expect(redirectTarget(at('http://a.test/x/y', 'http://u:p@b.test/z#f'))).toBe('http://b.test/z');
  const twice = { ...at('http://a.test/', '/b'), headers: ['Location', '/b', 'location', '/c'] };
  expect(() => redirectTarget(twice)).toThrow(
    expect.objectContaining({ code: 'http_protocol_error' }),
  );
});

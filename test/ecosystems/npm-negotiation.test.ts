import { describe, expect, it } from 'vitest';
import { fieldValue } from '../../src/core/raw-headers.ts';
import { get, npm } from './npm-fixture.ts';

describe('npm negotiation', () => {
  const short = 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*';
  it.each([
    [short, short],
    ['application/vnd.npm.install-v1+json,application/json', short],
    ['application/vnd.npm.install-v1+json; q=1.0, */*; q=0.1', short],
    ['application/json', 'application/json'],
    ['application/json, application/vnd.npm.install-v1+json; q=0.5', 'application/json'],
    ['*/*', 'application/json'],
    ['text/html, application/xhtml+xml, */*;q=0.8', 'application/json'],
    [undefined, 'application/json'],
    // What only one of the two satisfies stays the client's own.
    ['application/vnd.npm.install-v1+json', 'application/vnd.npm.install-v1+json'],
    ['text/html', 'text/html'],
    ['application/vnd.npm.formatted+json, */*', 'application/vnd.npm.formatted+json, */*'],
    ['application/json; profile="a,b"', 'application/json; profile="a,b"'],
    ['application/json; q=nonsense', 'application/json; q=nonsense'],
  ])('makes Accept: %s into %s', (given, asked) => {
    expect(askedFor('Accept', given, 'accept')).toBe(asked);
  });

  it.each([
    ['gzip,deflate', 'gzip'],
    ['gzip, deflate, br, zstd', 'gzip'],
    ['*', 'gzip'],
    ['br', 'identity'],
    ['gzip;q=0', 'identity'],
    ['', 'identity'],
    [undefined, 'identity'],
    ['br, identity;q=0', 'br, identity;q=0'],
    ['gzip, *;q=0', 'gzip, *;q=0'],
  ])('makes Accept-Encoding: %s into %s', (given, asked) => {
    expect(askedFor('Accept-Encoding', given, 'accept-encoding')).toBe(asked);
  });

  it('takes the HEAD of any representation, as pnpm asks, for the abbreviated document', () => {
    const asked = (method: string, agent: string, accept = '*/*') =>
      npm.classify({ ...get('/name', ['User-Agent', agent, 'Accept', accept]), method });
    const pnpm = 'pnpm/12.21.0 npm/? node/? linux x64';
    expect(asked('HEAD', pnpm)).toMatchObject({ wholeForHead: true });
    const { requestHeaders = [] } = asked('HEAD', pnpm) as { requestHeaders?: string[] };
    expect(fieldValue(requestHeaders, 'accept')).toBe(short);
    for (const answer of [
      asked('GET', pnpm),
      asked('HEAD', 'curl/8.0'),
      asked('HEAD', pnpm, 'application/json'),
    ]) {
      const { requestHeaders = [] } = answer as { requestHeaders?: string[] };
      expect(fieldValue(requestHeaders, 'accept') ?? 'application/json').toBe('application/json');
      expect(answer).not.toHaveProperty('wholeForHead');
    }
  });

  it('keeps every other field, and the very list when nothing changes', () => {
    const accept = ['Accept', 'application/json', 'Accept-Encoding', 'gzip'];
    const others = ['Authorization', 'Bearer a', 'If-None-Match', '"x"', 'X-A', '1', 'x-a', '2'];
    expect(npm.classify(get('/name', [...accept, ...others]))).not.toHaveProperty('requestHeaders');
    const changed = npm.classify(get('/name', [...others, 'accept', '*/*']));
    expect(changed).toMatchObject({
      requestHeaders: [...others, 'Accept', 'application/json', 'Accept-Encoding', 'identity'],
    });
  });
});

function askedFor(name: string, value: string | undefined, field: string): string | undefined {
  const headers = value === undefined ? [] : [name, value];
  const answer = npm.classify(get('/name', headers));
  const asked = answer.kind === 'index' ? answer.requestHeaders : undefined;
  return fieldValue(asked ?? headers, field);
}

import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, onTestFinished } from 'vitest';
import { HttpOrigin } from '../../support/http-origin.ts';

/** An origin all of whose responses are older than any freshness (RFC 9111 section 4.2.3). */
export async function agedOrigin(): Promise<HttpOrigin> {
  const server = createServer({ keepAliveTimeout: 60_000 });
  server.on('request', (_request, response) => {
    response.setHeader('Age', String(400 * 24 * 60 * 60));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = new HttpOrigin(server);
  onTestFinished(() => origin.close());
  return origin;
}

/** Expects that these requests are one that found nothing new for each of these targets. */
export function expectValidated(
  requests: HttpOrigin['requests'],
  targets: readonly string[],
): void {
  const expected = [...targets].sort().map((target) => `304 ${target}`);
  expect(requests.map(({ status, target }) => `${status} ${target}`).sort()).toEqual(expected);
}

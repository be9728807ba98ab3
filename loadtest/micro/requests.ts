import { Buffer } from 'node:buffer';
import type { RawHeaders } from '../../src/core/raw-headers.ts';

/** How many requests go round: more than a processor's predictor learns by heart. */
const count = 512;

/** The fields that a package manager sends, as many as it does. */
const usual = [
  ['Host', 'cache.example.com:8080'],
  ['User-Agent', 'npm/11.6.2 node/v26.10.0 linux x64 workspaces/false'],
  ['Accept', 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*'],
  ['Accept-Encoding', 'gzip, deflate, br'],
  ['npm-command', 'install'],
  ['pacote-req-type', 'packument'],
  ['Connection', 'keep-alive'],
] as const;

/**
 * Requests with the usual fields and these, each of strings of its own, as a parser makes them: the
 * same string twice would be compared by its address.
 */
export function requests(more: readonly (readonly [string, string])[] = []): readonly RawHeaders[] {
  return Array.from({ length: count }, () =>
    [...usual, ...more].flat().map((text) => Buffer.from(text, 'latin1').toString('latin1')),
  );
}

/** The one of the list whose turn it is. */
export function nth<T>(list: readonly T[], at: number): T {
  return list[at % list.length] as T;
}

import type { ArtifactMeta } from '../../src/core/artifact-meta.ts';
import type { RawHeaders } from '../../src/core/raw-headers.ts';
import type { PolicyOptions } from '../../src/policy/policy-options.ts';
import { varyOf } from '../../src/policy/vary.ts';

/** When all is measured: milliseconds since the epoch. */
export const now = Date.UTC(2026, 5, 1, 12, 0, 0);

/** The defaults. */
export const options: PolicyOptions = {
  freshness: 'rfc9111',
  negativeTtl: 10,
  staleIfError: 86_400,
  staleOnDisconnect: true,
  storeSetCookie: 'explicit',
  storeServerErrors: true,
  targetedFields: ['millrace-cache-control', 'cdn-cache-control'],
};

/** Fields as a registry behind a CDN gives them. */
export const responseHeaders: RawHeaders = [
  ['Date', new Date(now - 30_000).toUTCString()],
  ['Content-Type', 'application/json'],
  ['Connection', 'keep-alive'],
  ['Cache-Control', 'public, max-age=300, stale-if-error=86400'],
  ['ETag', '"5f2b9c3e8a7d4f10b6c2e9a1d3f48b75"'],
  ['Last-Modified', new Date(now - 86_400_000).toUTCString()],
  ['Vary', 'Accept-Encoding, Accept'],
  ['Content-Encoding', 'gzip'],
  ['Access-Control-Allow-Origin', '*'],
  ['Strict-Transport-Security', 'max-age=31536000'],
  ['X-Served-By', 'edge-17'],
  ['Server', 'example'],
].flat();

/** A fresh stored response, selected by what this request says. */
export function storedFor(request: RawHeaders): ArtifactMeta {
  return {
    status: 200,
    headers: responseHeaders,
    vary: varyOf(request, responseHeaders) as ArtifactMeta['vary'],
    requestTime: now - 30_050,
    responseTime: now - 30_000,
    body: { sha256: '0'.repeat(64), size: 4096 },
  };
}

import type { Config } from './config/config.ts';
import { GatewayError } from './core/errors.ts';
import type { MirrorTrust } from './core/mirror-figures.ts';
import { matchesAddress } from './core/network.ts';
import type { RawHeaders } from './core/raw-headers.ts';
import { createFileRequests } from './gateway-get-request.ts';
import { mirrorSettings } from './gateway-mirrors.ts';
import { allowedHosts } from './gateway-routing.ts';
import { partFields } from './pipeline/download-of.ts';
import { declaredSize } from './pipeline/framing.ts';
import { strongEtag } from './policy/conditional.ts';
import { type Candidate, candidatesFor, fieldsFor } from './upstream/candidates.ts';
import { createDownloader } from './upstream/download.ts';
import type { DownloadedResponse } from './upstream/downloader.ts';
import { placesFor } from './upstream/mirror-plan.ts';
import { MirrorRules } from './upstream/mirror-rules.ts';
import { type Segment, segmentFault } from './upstream/segment-check.ts';
import { createTransport } from './upstream/transport.ts';

/** What a probe found of one place. Times in milliseconds. */
export interface ProbedMirror {
  readonly url: string;
  readonly origin: string;
  readonly trust: MirrorTrust;
  readonly region: string | null;
  /** Name look-up, TCP and TLS, of all places on the way. */
  readonly connectMs: number | null;
  readonly firstByteMs: number | null;
  /** Of one connection. */
  readonly bytesPerSecond: number | null;
  /** For the whole object over one connection. */
  readonly expectedMs: number | null;
  /** Why it is of no use for this object; null: it is. */
  readonly fault: string | null;
}

export interface MirrorRanking {
  readonly url: string;
  readonly size: number | null;
  readonly etag: string | null;
  /** The soonest done first, those of no use last. */
  readonly mirrors: readonly ProbedMirror[];
  /** Places that are not asked, and why. */
  readonly excluded: readonly { readonly origin: string; readonly reason: string }[];
}

export interface ProbeOptions {
  readonly headers: RawHeaders;
  /** Bytes to fetch from each. */
  readonly bytes: number;
}

/** A probe that has taken so long has shown how slow it is; milliseconds of its body. */
const longestMs = 5_000;

/**
 * Fetches a piece of the object from each place that may have it, one after the other, and ranks them.
 * Rejects with a GatewayError where the origin does not serve it.
 */
export async function probeMirrors(
  config: Config,
  url: string,
  { headers, bytes }: ProbeOptions,
): Promise<MirrorRanking> {
  const request = createFileRequests(config)({ url, headers, digest: undefined, mirrors: true });
  const [origin] = candidatesFor(request.url, request.upstreams);
  const probe = (candidate: Candidate, more: RawHeaders, most: number) =>
    probed(config, candidate, { headers: [...headers, ...more], bytes: most });
  const first = await probe(origin, [], 0);
  if ('error' in first) throw first.error;
  const { response } = first;
  if (response.status !== 200) throw refused(response);
  const size = declaredSize(response.headers);
  const etag = strongEtag(response.headers);
  const range = { first: 0, last: Math.min(bytes, size ?? bytes) - 1 };
  const fields = size === undefined || size === 0 ? [] : partFields(range, etag);
  const rules = new MirrorRules(mirrorSettings(config).rules ?? []);
  const { candidates, excluded } = placesFor(
    { ...request, headers: [...headers, ...fields] },
    rules,
  );
  const mirrors: ProbedMirror[] = [];
  for (const candidate of candidates) {
    const found = await probe(candidate, fields, bytes);
    const fault =
      'error' in found
        ? found.error.message
        : faultOf(found.response, fields.length > 0 ? { range, etag } : undefined, size);
    mirrors.push(figuresOf(candidate, found, { fault, size }));
  }
  const time = ({ expectedMs }: ProbedMirror): number => expectedMs ?? Number.POSITIVE_INFINITY;
  return {
    url: request.url,
    size: size ?? null,
    etag: etag ?? null,
    mirrors: mirrors.toSorted((a, b) => time(a) - time(b)),
    excluded,
  };
}

interface Measured {
  readonly response: DownloadedResponse;
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly bytes: number;
  readonly bodyMs: number;
}

type Probed = Measured | { readonly error: GatewayError };

/** One request over connections of its own. */
async function probed(
  config: Config,
  candidate: Candidate,
  { headers, bytes }: ProbeOptions,
): Promise<Probed> {
  const { connect, firstByte, idle } = config.timeouts;
  let connectMs = 0;
  const transport = createTransport({
    connectTimeoutMs: connect,
    firstByteTimeoutMs: firstByte,
    idleTimeoutMs: idle,
    allowAddress: (ip, port) => matchesAddress(allowedHosts(config), ip, port),
    onConnect: (_origin, milliseconds) => {
      connectMs += milliseconds;
    },
  });
  const downloader = createDownloader(transport, { redirectTrusted: () => true });
  const request = {
    method: 'GET',
    url: candidate.url,
    headers: fieldsFor(headers, candidate),
    upstreams: [],
    trusted: candidate.trusted ?? true,
    redirects: 'follow',
  } as const;
  const started = performance.now();
  try {
    const response = await downloader.fetch(request);
    const firstByteMs = Math.max(0, performance.now() - started - connectMs);
    return { response, connectMs, firstByteMs, ...(await bodyOf(response, bytes)) };
  } catch (error) {
    if (error instanceof GatewayError) return { error };
    throw error;
  } finally {
    await transport.close();
  }
}

/** Takes so many bytes of the body, as far as they come in time. */
function bodyOf(
  response: DownloadedResponse,
  most: number,
): Promise<Pick<Measured, 'bytes' | 'bodyMs'>> {
  if (most === 0 || (response.status !== 206 && response.status !== 200)) {
    response.abort();
    return Promise.resolve({ bytes: 0, bodyMs: 0 });
  }
  const { promise, resolve, reject } = Promise.withResolvers<Pick<Measured, 'bytes' | 'bodyMs'>>();
  const started = performance.now();
  let bytes = 0;
  const end = (): void => resolve({ bytes, bodyMs: performance.now() - started });
  response.consume({
    data(chunk) {
      bytes += chunk.length;
      if (bytes < most && performance.now() - started < longestMs) return true;
      response.abort();
      end();
      return true;
    },
    end,
    error: reject,
  });
  return promise;
}

function figuresOf(
  { url, origin, trust, region }: Candidate,
  found: Probed,
  { fault, size }: { fault: string | null; size: number | undefined },
): ProbedMirror {
  const mirror = { url, origin, trust, region: region ?? null, fault };
  if ('error' in found) {
    return {
      ...mirror,
      connectMs: null,
      firstByteMs: null,
      bytesPerSecond: null,
      expectedMs: null,
    };
  }
  const { connectMs, firstByteMs, bytes, bodyMs } = found;
  const rate = bytes > 0 && bodyMs > 0 ? bytes / bodyMs : undefined;
  const before = connectMs + firstByteMs;
  const expected = rate === undefined || size === undefined ? before : before + size / rate;
  return {
    ...mirror,
    connectMs: tenths(connectMs),
    firstByteMs: tenths(firstByteMs),
    bytesPerSecond: rate === undefined ? null : Math.round(rate * 1000),
    expectedMs: fault === null ? tenths(expected) : null,
  };
}

/** Why a response is of no use for the object. */
function faultOf(
  response: DownloadedResponse,
  segment: Segment | undefined,
  size: number | undefined,
): string | null {
  const { status } = response;
  if (segment === undefined) return status === 200 ? null : `it answered ${status}`;
  const fault = segmentFault(segment, response, size);
  if (fault === undefined) return status === 206 ? null : `it answered ${status}`;
  return fault === 'ignored-range' ? 'it does not serve ranges' : 'it has another representation';
}

function refused({ status }: DownloadedResponse): GatewayError {
  return new GatewayError('destination_unavailable', `the server answered ${status}`, {
    origin: 'upstream',
    receivedStatus: status,
    retryable: status === 429 || status >= 500,
  });
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}

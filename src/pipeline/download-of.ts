import type { ByteRange } from '../core/body.ts';
import { type RawHeaders, withoutFields } from '../core/raw-headers.ts';
import { requestFields } from '../policy/headers.ts';
import type { DownloadRequest } from '../upstream/downloader.ts';
import type { Resource } from './resource.ts';

/** What the resource says of a request for it. */
export function downloadOf({
  request: { url, headers, upstreams, trusted, ecosystem },
  classification,
  redirects,
  indexes,
  repositories = false,
  places,
}: Resource): DownloadRequest {
  const artifact = classification.kind === 'artifact';
  return {
    method: 'GET',
    url,
    headers,
    upstreams,
    trusted,
    redirects,
    repositories,
    // What changes is counted as that, also where something proves its bytes.
    purpose: { ecosystem, kind: places ? 'index' : classification.kind },
    order: !artifact && indexes === 'ordered' ? 'configured' : 'measured',
    places,
    keptFields: classification.keptFields,
    digest: artifact ? classification.digest : undefined,
  };
}

/** Fields by which some origins choose their answer although no key has them. */
const forwarding =
  /^(forwarded|x-forwarded-.*|x-real-ip|x-host|x-original-.*|x-rewrite-url|x-http-method.*|x-method-override)$/i;

/** A shared request says nothing of how its client came here: it would poison what others get. */
function isForwarding(name: string): boolean {
  const first = name.charCodeAt(0) | 0x20;
  // A look at the first letter, f or x, spares most names the test.
  return (first === 0x66 || first === 0x78) && forwarding.test(name);
}

/** The client's own conditions and ranges: the shared request asks for the whole representation. */
const clientConditions: ReadonlySet<string> = new Set([
  'range',
  'if-range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
]);

/** What a request for everybody asks with: the client's fields without what is its own. */
export function sharedFields({ request }: Resource): RawHeaders {
  const fields = withoutFields(requestFields(request.headers), clientConditions);
  return fields.some((name, at) => at % 2 === 0 && isForwarding(name))
    ? fields.filter((_, at) => !isForwarding(fields[at - (at % 2)] as string))
    : fields;
}

/** The fields that ask for a part; without a strong entity tag something else must prove its bytes. */
export function partFields({ first, last }: ByteRange, etag: string | undefined): RawHeaders {
  const range = ['Range', `bytes=${first}-${last}`];
  return etag === undefined ? range : [...range, 'If-Range', etag];
}

/** A part as they are asked for, about: for questions about parts of which none is meant. */
export const somePart: ByteRange = { first: 0, last: 8 * 1024 * 1024 - 1 };

import { canonicalUrl, originOf } from '../core/canonical-url.ts';
import { isNamed, type RawHeaders } from '../core/raw-headers.ts';
import { restBelow } from './mount-table.ts';

export interface MountAddress {
  /** Canonical URL of the upstream that answered for the mount, without a trailing slash. */
  readonly upstreamUrl: string;
  /** Public URL of the mount without a trailing slash. */
  readonly publicBase: string;
  /** What the mount serves: of plain HTTP nobody knows what its links are for. */
  readonly ecosystem: string;
}

/**
 * `Location`, `Content-Location` and, in package ecosystems, the targets of `Link` below the upstream
 * as the same place below the mount, so that a client that follows stays with the gateway: the next
 * page of a list is on such a link. References that are relative to the path already do.
 */
export function withMountLocation(headers: RawHeaders, mount: MountAddress): RawHeaders {
  let changed: string[] | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    const isLink = isNamed(name, 'link');
    if (isLink ? mount.ecosystem === 'generic' : !isLocation(name)) continue;
    const value = headers[i + 1] as string;
    const moved = isLink ? linksUnderMount(value, mount) : underMount(value, mount);
    if (moved === undefined) continue;
    changed ??= [...headers];
    changed[i + 1] = moved;
  }
  return changed ?? headers;
}

function isLocation(name: string): boolean {
  return isNamed(name, 'location') || isNamed(name, 'content-location');
}

/** RFC 8288 section 3: each target stands between angle brackets. */
function linksUnderMount(value: string, mount: MountAddress): string | undefined {
  const moved = value.replace(
    /<([^<>"]*)>/g,
    (target, reference: string) => `<${underMount(reference, mount) ?? target.slice(1, -1)}>`,
  );
  return moved === value ? undefined : moved;
}

function underMount(
  reference: string,
  { upstreamUrl, publicBase }: MountAddress,
): string | undefined {
  const absolute = reference.startsWith('/') && !reference.startsWith('//');
  const url = canonicalUrl(absolute ? `${originOf(upstreamUrl)}${reference}` : reference);
  const rest = url && restBelow(upstreamUrl, url);
  const fragment = /#.*$/.exec(reference)?.[0] ?? '';
  return rest === undefined ? undefined : `${publicBase}${rest}${fragment}`;
}

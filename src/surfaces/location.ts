import { canonicalUrl, originOf } from '../core/canonical-url.ts';
import type { RawHeaders } from '../core/raw-headers.ts';
import { restBelow } from './mount-table.ts';

export interface MountAddress {
  /** Canonical URL of the upstream that answered for the mount, without a trailing slash. */
  readonly upstreamUrl: string;
  /** Public URL of the mount without a trailing slash. */
  readonly publicBase: string;
}

/**
 * `Location` and `Content-Location` below the upstream as the same place below the mount, so that a
 * client that follows stays with the gateway. References that are relative to the path already do.
 */
export function withMountLocation(headers: RawHeaders, mount: MountAddress): RawHeaders {
  let changed: string[] | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (!/^(content-)?location$/i.test(headers[i] as string)) continue;
    const value = headers[i + 1] as string;
    const moved = underMount(value, mount);
    if (moved === undefined) continue;
    changed ??= [...headers];
    changed[i + 1] = moved;
  }
  return changed ?? headers;
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

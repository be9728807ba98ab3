import type { Config } from './config/config.ts';
import { originOf } from './core/canonical-url.ts';
import type { Digest } from './core/digest.ts';
import type { RawHeaders } from './core/raw-headers.ts';
import { createRouting } from './gateway-routing.ts';
import { MountTable } from './surfaces/mount-table.ts';
import type { DownloadRequest } from './upstream/downloader.ts';

export interface AskedFile {
  /** Canonical. */
  readonly url: string;
  readonly headers: RawHeaders;
  /** What the user says that the whole must have. */
  readonly digest: Digest | undefined;
  /** Whether others than the URL's own place may be asked. */
  readonly mirrors: boolean;
}

/** Requests as the gateway would make them: a URL of a mount has that mount's upstreams. */
export function createFileRequests(config: Config): (asked: AskedFile) => DownloadRequest {
  const table = new MountTable(createRouting(config).mounts);
  return ({ url, headers, digest, mirrors }) => {
    const found = table.matchUrl(url);
    // The user named it: like any other program on this host it may have a private address.
    const request = { method: 'GET', headers, trusted: true, redirects: 'follow' } as const;
    if (found === undefined) {
      const proven = digest === undefined ? { order: 'configured' as const } : { digest };
      return { ...request, url, upstreams: [], ...proven };
    }
    const { mount, rest } = found;
    const [first] = mount.upstreams;
    const named = mount.upstreams.filter((upstream) => originOf(upstream.url) === originOf(url));
    const own = mirrors ? `${first.url}${rest}` : url;
    const path = rest.startsWith('/') ? rest : `/${rest}`;
    const kind = mount.ecosystem.classify({ method: 'GET', url: own, path, headers });
    const known = digest ?? (kind.kind === 'artifact' ? kind.digest : undefined);
    const changes = kind.kind !== 'artifact' && mount.indexes === 'ordered';
    return {
      ...request,
      url: own,
      upstreams: mirrors ? mount.upstreams : named.slice(0, 1),
      repositories: mirrors && mount.ecosystem.upstreams === 'repositories',
      purpose: {
        ecosystem: mount.ecosystem.id,
        ...(kind.kind !== 'passthrough' && { kind: kind.kind }),
      },
      ...(known === undefined && changes && { order: 'configured' }),
      ...(known && { digest: known }),
    };
  };
}

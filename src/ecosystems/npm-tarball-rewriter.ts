import { hasDotSegments, originOf } from '../core/canonical-url.ts';
import type { Rewrite } from '../core/classification.ts';
import { JsonStringRewriter, type StringSelector } from './json-string-rewriter.ts';
import { authorityOf, foreignTarballPath } from './npm-foreign-tarball.ts';
import { isTarballPath } from './npm-path.ts';

export interface TarballRewriteOptions {
  /** Canonical, without a trailing slash. */
  readonly upstreamUrl: string;
  /** Without a trailing slash. */
  readonly publicBase: string;
  /** Other hosts (lower case, with a port where it is not the scheme's) whose tarballs are served. */
  readonly hosts: readonly string[];
}

/** Where packuments and version manifests name their tarballs. */
const tarballs: StringSelector = {
  dist: { tarball: true },
  versions: { '*': { dist: { tarball: true } } },
};

/** Points `dist.tarball` of a packument or manifest at the gateway; all else stays byte for byte. */
export function tarballRewrite(options: TarballRewriteOptions): Rewrite {
  return {
    id: ['npm-tarballs-1', options.upstreamUrl, options.publicBase, ...options.hosts].join(' '),
    create: () => new JsonStringRewriter(tarballs, { map: tarballMapping(options) }),
  };
}

/**
 * The gateway's URL for a tarball on the upstream's or an allowed host, http and https alike;
 * undefined: the URL stays. URLs with credentials, dot segments or characters that no URL has stay.
 */
export function tarballMapping(
  options: TarballRewriteOptions,
): (text: string) => string | undefined {
  const { upstreamUrl, publicBase } = options;
  const ownAuthority = authorityOf(upstreamUrl);
  const ownPath = upstreamUrl.slice(originOf(upstreamUrl).length);
  const hosts = new Set(options.hosts);

  return (text) => {
    const [, scheme = '', host = '', rest = ''] =
      /^(https?):\/\/([^/?#@\\]+)(\/[^\\\s\p{Cc}]*)$/iu.exec(text) ?? [];
    if (rest === '' || hasDotSegments(rest)) return undefined;
    const secure = scheme.length === 5;
    const authority = host.toLowerCase().replace(secure ? /:443$/ : /:80$/, '');
    if (authority === ownAuthority) {
      if (rest.startsWith(`${ownPath}/`)) return publicBase + rest.slice(ownPath.length);
    } else if (!hosts.has(authority)) return undefined;
    const [path = ''] = rest.split('#', 1);
    if (!isTarballPath(path)) return undefined;
    return publicBase + foreignTarballPath(`${secure ? 'https' : 'http'}://${authority}${path}`);
  };
}

import type { Rewrite } from '../core/classification.ts';
import { type FilePlaces, gatewayUrls } from './foreign-file.ts';
import type { StringSelector } from './json-selector.ts';
import { JsonStringRewriter } from './json-string-rewriter.ts';

import { isTarballPath } from './npm-path.ts';

export type TarballRewriteOptions = Omit<FilePlaces, 'isFile'>;

/** Where packuments and version manifests name their tarballs. */
const tarballs: StringSelector = {
  dist: { tarball: true },
  versions: { '*': { dist: { tarball: true } } },
};

/** Points `dist.tarball` of a packument or manifest at the gateway; all else stays byte for byte. */
export function tarballRewrite(options: TarballRewriteOptions): Rewrite {
  const places = { ...options, isFile: isTarballPath };
  return {
    id: ['npm-tarballs-1', options.upstreamUrl, options.publicBase, ...options.hosts].join(' '),
    create: () => new JsonStringRewriter(tarballs, { map: gatewayUrls(places) }),
  };
}

import { pathOf } from '../core/canonical-url.ts';
import type { Classification, ClassifyRequest } from '../core/classification.ts';
import { addressRewrite, shasumFinder } from './composer-index.ts';
import { isServedPath, parseComposerPath } from './composer-path.ts';
import { readableDocument } from './document.ts';
import type { Ecosystem } from './ecosystem.ts';
import { authorityOf, foreignUrl } from './foreign-file.ts';

export interface ComposerOptions {
  /** Other hosts (with a port where it is not the scheme's) whose archives are fetched. */
  readonly hosts: readonly string[];
}

const publicRepository = 'https://repo.packagist.org';
const publicHosts = ['repo.packagist.org', 'packagist.org'] as const;
/** Where most packages have their archives. */
const archiveHosts = [
  'api.github.com',
  'codeload.github.com',
  'gitlab.com',
  'bitbucket.org',
] as const;

/** Composer repositories: Composer's documentation, "Repositories". */
export function createComposer(options: ComposerOptions): Ecosystem {
  const given = options.hosts.map((host) => host.toLowerCase());
  const hosts = [...new Set([...publicHosts, ...archiveHosts, ...given])];

  return { id: 'composer', hosts: [...publicHosts, ...given], classify, resolve };

  function classify(request: ClassifyRequest): Classification {
    const { url, upstreamUrl, publicBase } = request;
    const path = parseComposerPath(pathOf(url));
    switch (path.kind) {
      case 'root':
      case 'package': {
        const document = readableDocument(request);
        if (upstreamUrl === undefined || publicBase === undefined) return document;
        const places = { upstreamUrl, publicBase, hosts, isFile: isServedPath };
        return { ...document, rewrite: addressRewrite(places) };
      }
      case 'hashed':
        return { kind: 'artifact', digest: path.digest };
      case 'archive': {
        const repository = upstreamUrl ?? repositoryOf(url);
        if (repository === undefined || path.packages.length === 0) return { kind: 'artifact' };
        const urls = path.packages.map((name) => `${repository}/p2/${name}.json`);
        return { kind: 'artifact', digestFrom: { urls, find: () => shasumFinder(url) } };
      }
      case 'api':
        return { kind: 'passthrough', reason: 'search results and advisories must be current' };
      case 'other':
        return { kind: 'index', freshness: 'rfc9111' };
    }
  }

  function resolve(path: string, upstreamUrl: string): string | undefined {
    const own = authorityOf(upstreamUrl);
    const isAllowed = (authority: string) => authority === own || hosts.includes(authority);
    return foreignUrl(path, isAllowed, isServedPath);
  }
}

function repositoryOf(url: string): string | undefined {
  return publicHosts.some((host) => host === authorityOf(url)) ? publicRepository : undefined;
}

import { pathOf } from '../core/canonical-url.ts';
import type {
  Classification,
  ClassifyRequest,
  IndexClassification,
} from '../core/classification.ts';
import type { Ecosystem } from './ecosystem.ts';
import { authorityOf, foreignUrl } from './foreign-file.ts';
import { FileDigestFinder, indexRewrite } from './pypi-index.ts';
import { normalisedName, type PypiFile, parsePypiPath } from './pypi-name.ts';
import { negotiatedFields, selectingFields } from './pypi-negotiation.ts';

export interface PypiOptions {
  /** Other hosts (with a port where it is not the scheme's) whose files are fetched. */
  readonly hosts: readonly string[];
}

const publicIndex = 'https://pypi.org';
const publicFiles = 'files.pythonhosted.org';

/**
 * The simple repository API: PEP 503 (HTML), 691 (JSON), 658 and 714 (metadata beside a file). The
 * upstream is what stands above `/simple/` (devpi: `/+simple/`), or that itself.
 */
export function createPypi(options: PypiOptions): Ecosystem {
  const hosts = [...new Set([publicFiles, ...options.hosts.map((host) => host.toLowerCase())])];
  const known = [authorityOf(publicIndex), ...hosts];

  return { id: 'pypi', hosts: known, classify, resolve };

  function classify(request: ClassifyRequest): Classification {
    const path = parsePypiPath(pathOf(request.url));
    switch (path.kind) {
      case 'file':
        return fileClassification(path.file, indexOf(request));
      case 'project':
        return page(
          request,
          `${request.url.replace(/[^/]+\/?(?:\?.*)?$/, '')}${normalisedName(path.name)}/`,
        );
      case 'list':
        return page(request, `${request.url.replace(/\/?(?:\?.*)?$/, '')}/`);
      case 'other':
        return { kind: 'index', freshness: 'rfc9111' };
    }
  }

  /** The index whose pages name the files of the request's host; undefined: it cannot be told. */
  function indexOf({ url, upstreamUrl }: ClassifyRequest): string | undefined {
    if (upstreamUrl !== undefined) return upstreamUrl.replace(/\/\+?simple$/, '');
    return known.includes(authorityOf(url)) ? publicIndex : undefined;
  }

  function page(request: ClassifyRequest, pageUrl: string): IndexClassification {
    const requestHeaders = negotiatedFields(request.headers);
    const { upstreamUrl, publicBase } = request;
    const isMounted = upstreamUrl !== undefined && publicBase !== undefined;
    return {
      kind: 'index',
      freshness: 'rfc9111',
      vary: selectingFields,
      ownEtag: true,
      ...(requestHeaders && { requestHeaders }),
      ...(isMounted && {
        rewrite: indexRewrite({ upstreamUrl, publicBase, pageUrl, hosts, isFile }),
      }),
    };
  }

  /** A project under a name that is not normal has its page under the one that is: PEP 503. */
  function resolve(path: string, upstreamUrl: string): string | undefined {
    const own = authorityOf(upstreamUrl);
    const isAllowed = (authority: string) => authority === own || hosts.includes(authority);
    const foreign = foreignUrl(path, isAllowed, isFile);
    if (foreign !== undefined) return foreign;
    const parsed = parsePypiPath(path);
    if (parsed.kind !== 'project' || parsed.isNormal) return undefined;
    const [, start = '', query = ''] = /^([^?]*\/)[^/?]+\/?(\?.*)?$/.exec(path) ?? [];
    return `${upstreamUrl}${start}${normalisedName(parsed.name)}/${query}`;
  }
}

function fileClassification(file: PypiFile, index: string | undefined): Classification {
  if (file.part === 'other' || index === undefined) return { kind: 'artifact' };
  const urls = ['simple', '+simple'].flatMap((root) =>
    file.projects.map((name) => `${index}/${root}/${name}/`),
  );
  return { kind: 'artifact', digestFrom: { urls, find: () => new FileDigestFinder(file) } };
}

function isFile(path: string): boolean {
  return parsePypiPath(path).kind === 'file';
}

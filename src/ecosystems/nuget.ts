import { hasDotSegments, pathOf } from '../core/canonical-url.ts';
import type { Classification, ClassifyRequest, Rewrite } from '../core/classification.ts';
import { readableDocument } from './document.ts';
import type { Ecosystem } from './ecosystem.ts';
import { authorityOf, type FilePlaces, foreignUrl, gatewayUrls } from './foreign-file.ts';
import type { StringSelector } from './json-selector.ts';
import { JsonStringRewriter } from './json-string-rewriter.ts';

export interface NugetOptions {
  /** Other hosts (with a port where it is not the scheme's) that belong to the package source. */
  readonly hosts: readonly string[];
}

const publicHosts: readonly string[] = ['api.nuget.org', 'globalcdn.nuget.org'];
/** Where the public source searches and publishes. */
const publicServices: readonly string[] = [
  'azuresearch-usnc.nuget.org',
  'azuresearch-ussc.nuget.org',
  'www.nuget.org',
];

/** A package or its manifest: below the base address, in folders of id and version. */
const packageFile =
  /\/([a-z0-9_][\w.-]*)\/(\d[\w.+-]*)\/(?:\1\.\2\.(?:nupkg|snupkg)(?:\.sha512)?|\1\.nuspec|readme|icon|license)$/i;
const document = /\/[^/]*\.json$/;
const service = /\/(?:query|autocomplete|search\/query)\/?(?:\?|$)|\/api\/v2\/(?:sym)?package\/?/i;

const leaf: StringSelector = {
  '@id': true,
  packageContent: true,
  registration: true,
  catalogEntry: { '@id': true, packageContent: true },
};
/** In the service index, in a registration's index, pages and leaves, and in that of vulnerabilities. */
const addresses: StringSelector = {
  '[]': { '@id': true },
  resources: { '[]': { '@id': true } },
  '@id': true,
  parent: true,
  packageContent: true,
  registration: true,
  catalogEntry: true,
  items: { '[]': { ...leaf, parent: true, items: { '[]': leaf } } },
};

/** NuGet's protocol, version 3: Microsoft Learn, "NuGet Server API". */
export function createNuget(options: NugetOptions): Ecosystem {
  const given = options.hosts.map((host) => host.toLowerCase());
  const hosts = [...new Set([...publicHosts, ...publicServices, ...given])];

  return { id: 'nuget', hosts: [...publicHosts, ...given], classify, resolve };

  function classify(request: ClassifyRequest): Classification {
    const path = pathOf(request.url);
    if (hasDotSegments(path)) return { kind: 'index', freshness: 'rfc9111' };
    if (service.test(path)) return { kind: 'passthrough', reason: 'a search must be current' };
    if (packageFile.test(path)) return { kind: 'artifact' };
    if (!document.test(path)) return { kind: 'index', freshness: 'rfc9111' };
    const { upstreamUrl, publicBase } = request;
    const plain = readableDocument(request);
    if (upstreamUrl === undefined || publicBase === undefined) return plain;
    return { ...plain, rewrite: addressRewrite({ upstreamUrl, publicBase, hosts, isFile }) };
  }

  function resolve(path: string, upstreamUrl: string): string | undefined {
    const own = authorityOf(upstreamUrl);
    return foreignUrl(path, (authority) => authority === own || hosts.includes(authority), isFile);
  }
}

/** Anything of the protocol; a base address ends with a slash. */
function isFile(path: string): boolean {
  if (hasDotSegments(path)) return false;
  return path.endsWith('/') || [packageFile, document, service].some((each) => each.test(path));
}

function addressRewrite(places: FilePlaces): Rewrite {
  const { upstreamUrl, publicBase, hosts } = places;
  const gatewayUrl = gatewayUrls(places);
  const map = (text: string): string | undefined => {
    // Clients take signatures of the repository over https alone.
    if (text.includes('/repository-signatures/') && !publicBase.startsWith('https:'))
      return undefined;
    // A base address means the same with and without its slash.
    const moved = gatewayUrl(text) ?? gatewayUrl(`${text}/`)?.replace(/\/$/, '');
    const isTemplate = text.includes('{') && /\{[^}]*\}/.test(text);
    return isTemplate && !document.test(text) ? undefined : moved;
  };
  return {
    id: ['nuget-addresses-1', upstreamUrl, publicBase, ...hosts].join(' '),
    create: () => new JsonStringRewriter(addresses, { map }),
  };
}

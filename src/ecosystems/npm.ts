import { canonicalUrl, pathOf } from '../core/canonical-url.ts';
import type {
  Classification,
  ClassifyRequest,
  IndexClassification,
} from '../core/classification.ts';
import { GatewayError } from '../core/errors.ts';
import type { Ecosystem } from './ecosystem.ts';
import { authorityOf, foreignUrl } from './foreign-file.ts';
import { changedPaths } from './npm-changes.ts';
import { clientFields, expectedOf, swapsRegistryHost } from './npm-client.ts';
import { endpointClassification } from './npm-endpoint.ts';
import {
  abbreviatedFields,
  asksForAnyByHead,
  negotiatedFields,
  selectingFields,
} from './npm-negotiation.ts';
import {
  isTarballPath,
  type NpmPath,
  parseNpmPath,
  spelledAsNpm,
  strayTarball,
} from './npm-path.ts';
import { tarballDigest } from './npm-tarball-digest.ts';
import { tarballRewrite } from './npm-tarball-rewriter.ts';

/**
 * Where packuments send clients for tarballs.
 * - `auto`: as the upstream says for clients that come back to the gateway by themselves, else rewritten
 * - `canonical`: as the upstream says
 * - `rewrite`: rewritten
 */
export type TarballMode = 'auto' | 'canonical' | 'rewrite';

export interface NpmOptions {
  /** The public registry that npm itself has built in, the one whose host npm swaps; absolute URL. */
  readonly canonicalRegistry: string;
  readonly tarballs: TarballMode;
  /** Other hosts (with a port where it is not the scheme's) whose tarballs are fetched. */
  readonly hosts: readonly string[];
}

/** The npm registry's protocol. Throws `proxy_configuration_error` without a canonical registry. */
export function createNpm(options: NpmOptions): Ecosystem {
  const canonicalRegistry = registryUrl(options.canonicalRegistry);
  const hosts = [...new Set(options.hosts.map((host) => host.toLowerCase()))].sort();

  return {
    id: 'npm',
    hosts: [authorityOf(canonicalRegistry), ...hosts],
    classify,
    resolve,
    spelling: spelledAsNpm,
    changedBy,
    claims: (path) => path.includes('/-/') && parseNpmPath(path).kind === 'tarball',
  };

  function classify(request: ClassifyRequest): Classification {
    const path = pathBelow(request.url, request.upstreamUrl ?? canonicalRegistry);
    if (path === undefined) {
      return isTarballPath(pathOf(request.url)) ? { kind: 'artifact' } : plainIndex;
    }
    const registry = request.url.slice(0, request.url.length - path.length);
    return classifyPath(parseNpmPath(path), request, registry);
  }

  function classifyPath(path: NpmPath, request: ClassifyRequest, registry: string): Classification {
    switch (path.kind) {
      case 'tarball':
        return {
          kind: 'artifact',
          ...(path.of && { digestFrom: tarballDigest(registry, path.of) }),
          ...expectedOf(request.headers),
        };
      case 'packument':
      case 'manifest':
        // npm asks so before it changes a document and sends it back.
        if (/[?&]write=true(?:&|$)/.test(request.url)) {
          return { kind: 'passthrough', reason: 'the document is fetched to be edited' };
        }
        return document(path.name, request);
      case 'endpoint':
        return endpointClassification(path.endpoint);
      case 'other':
        return plainIndex;
      case 'suspicious':
        return { kind: 'passthrough', reason: 'the path is not one of the registry protocol' };
    }
  }

  function changedBy({ url, upstreamUrl }: ClassifyRequest): readonly string[] {
    const path = pathBelow(url, upstreamUrl ?? canonicalRegistry);
    if (path === undefined) return [];
    const registry = url.slice(0, url.length - path.length);
    return changedPaths(path).map((changed) => registry + changed);
  }

  function document(name: string, request: ClassifyRequest): IndexClassification {
    const { method, headers } = request;
    const isProbe = asksForAnyByHead(method, headers);
    const requestHeaders = isProbe
      ? (negotiatedFields(abbreviatedFields(headers)) ?? abbreviatedFields(headers))
      : negotiatedFields(headers);
    const base: IndexClassification = {
      kind: 'index',
      freshness: 'rfc9111',
      vary: selectingFields,
      // Registries send packuments without one, and clients ask for the same ones again and again.
      ownEtag: true,
      // Otherwise each such install would ask the registry about every package again.
      ...(isProbe && { wholeForHead: true }),
      ...(requestHeaders && { requestHeaders }),
    };
    const { upstreamUrl, publicBase } = request;
    // Without a mount's public URL there is nowhere to point at: the client uses the proxy anyway.
    if (upstreamUrl === undefined || publicBase === undefined) return base;
    if (options.tarballs === 'canonical') return base;
    const rewrite = tarballRewrite({ upstreamUrl, publicBase, hosts });
    if (options.tarballs === 'rewrite' || !isCanonical(upstreamUrl)) return { ...base, rewrite };
    return swapsRegistryHost(request.headers, publicBase, name)
      ? { ...base, servedVary: clientFields }
      : { ...base, servedVary: clientFields, rewrite };
  }

  /** npm swaps one host, whatever the scheme. */
  function isCanonical(upstreamUrl: string): boolean {
    return withoutScheme(upstreamUrl) === withoutScheme(canonicalRegistry);
  }

  function resolve(path: string, upstreamUrl: string): string | undefined {
    const stray = strayTarball(path);
    if (stray !== undefined) return upstreamUrl + stray;
    const own = authorityOf(upstreamUrl);
    const isAllowed = (authority: string) => authority === own || hosts.includes(authority);
    return foreignUrl(path, isAllowed, isTarballPath);
  }
}

const plainIndex: Classification = { kind: 'index', freshness: 'rfc9111' };

/** Path and query of a URL below another, http and https alike; undefined when it lies elsewhere. */
function pathBelow(url: string, base: string): string | undefined {
  const [whole, start] = [withoutScheme(url), withoutScheme(base)];
  return whole.startsWith(`${start}/`) ? whole.slice(start.length) : undefined;
}

function withoutScheme(url: string): string {
  return url.slice(url.indexOf('//'));
}

/** Canonical, without a trailing slash. */
function registryUrl(text: string): string {
  const url = canonicalUrl(text);
  if (url !== undefined) return url.replace(/\/+$/, '');
  throw new GatewayError('proxy_configuration_error', 'the canonical npm registry is not a URL', {
    origin: 'gateway',
  });
}

import { pathOf } from '../core/canonical-url.ts';
import type {
  Classification,
  ClassifyRequest,
  IndexClassification,
} from '../core/classification.ts';
import { ChecksumFinder, configRewrite } from './cargo-index.ts';
import { crateOf, indexPath, parseCargoPath } from './cargo-path.ts';
import { readableDocument } from './document.ts';
import type { Ecosystem } from './ecosystem.ts';
import { authorityOf, foreignUrl } from './foreign-file.ts';

export interface CargoOptions {
  /** Other hosts (with a port where it is not the scheme's) whose crates are fetched. */
  readonly hosts: readonly string[];
  /** Whether the gateway has credentials of its own for the registry. */
  readonly authorized: boolean;
}

const publicIndex = 'https://index.crates.io';
const publicCrates = 'static.crates.io';

/** Cargo's sparse registries; the upstream is the index. The Cargo Book, "Registry Index". */
export function createCargo(options: CargoOptions): Ecosystem {
  const hosts = [...new Set([publicCrates, ...options.hosts.map((host) => host.toLowerCase())])];
  const known = [authorityOf(publicIndex), ...hosts];

  return { id: 'cargo', hosts: known, classify, resolve };

  function classify(request: ClassifyRequest): Classification {
    const { url } = request;
    const index =
      request.upstreamUrl ?? (known.includes(authorityOf(url)) ? publicIndex : undefined);
    const path =
      index !== undefined && url.startsWith(`${index}/`) ? url.slice(index.length) : undefined;
    const parsed = parseCargoPath(path ?? pathOf(url));
    // On another host a path that looks like the index's means nothing.
    if (path === undefined && parsed.kind !== 'crate') return plainIndex;
    switch (parsed.kind) {
      case 'crate': {
        if (index === undefined) return { kind: 'artifact' };
        const { of } = parsed;
        const urls = [index + indexPath(of.name)];
        return { kind: 'artifact', digestFrom: { urls, find: () => new ChecksumFinder(of) } };
      }
      case 'config':
        return config(request);
      case 'index':
        return readableDocument(request);
      case 'api':
        return { kind: 'passthrough', reason: 'the web API of the registry must be current' };
      case 'other':
        return plainIndex;
    }
  }

  function config(request: ClassifyRequest): IndexClassification {
    const { upstreamUrl, publicBase } = request;
    if (upstreamUrl === undefined || publicBase === undefined) return readableDocument(request);
    const places = { upstreamUrl, publicBase, hosts, isFile };
    return { ...readableDocument(request), rewrite: configRewrite(places, options.authorized) };
  }

  function resolve(path: string, upstreamUrl: string): string | undefined {
    const own = authorityOf(upstreamUrl);
    return foreignUrl(path, (authority) => authority === own || hosts.includes(authority), isFile);
  }
}

const plainIndex: Classification = { kind: 'index', freshness: 'rfc9111' };

function isFile(path: string): boolean {
  return crateOf(path) !== undefined;
}

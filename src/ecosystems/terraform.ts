import { hasDotSegments, pathOf } from '../core/canonical-url.ts';
import type {
  Classification,
  ClassifyRequest,
  DigestFinder,
  Rewrite,
} from '../core/classification.ts';
import { digestFromHex } from '../core/digest.ts';
import { readableDocument } from './document.ts';
import type { Ecosystem } from './ecosystem.ts';
import { EntryDigestFinder } from './entry-digest-finder.ts';
import { authorityOf, type FilePlaces, foreignUrl, gatewayUrls } from './foreign-file.ts';
import { JsonStringRewriter } from './json-string-rewriter.ts';
import { lastSegment } from './url-segment.ts';

export interface TerraformOptions {
  /** Other hosts (with a port where it is not the scheme's) whose providers are fetched. */
  readonly hosts: readonly string[];
}

const version = /^\d+\.\d+\.\d+[\w.+-]*$/;
const archive = /^terraform-provider-[\w.+-]+\.zip$/;
const index = /\/index\.json$/;
const versionFile = /\/\d+\.\d+\.\d+[\w.+-]*\.json$/;

/** Terraform's and OpenTofu's "Provider Network Mirror Protocol". */
export function createTerraform(options: TerraformOptions): Ecosystem {
  const hosts = [...new Set(options.hosts.map((host) => host.toLowerCase()))];

  return { id: 'terraform', hosts, classify, resolve };

  function classify(request: ClassifyRequest): Classification {
    const { url, upstreamUrl, publicBase } = request;
    const path = pathOf(url);
    if (hasDotSegments(path)) return { kind: 'index', freshness: 'rfc9111' };
    const of = versionOf(path);
    if (of !== undefined) {
      const file = path.slice(path.lastIndexOf('/') + 1);
      const urls = [`${url.slice(0, url.length - file.length)}${of}.json`];
      const digestFrom = { urls, find: () => archiveHashFinder(file) };
      // Terraform asks by HEAD for what it gets next.
      return { kind: 'artifact', digestFrom, wholeForHead: true };
    }
    if (index.test(path)) return readableDocument(request);
    if (!versionFile.test(path)) return { kind: 'index', freshness: 'rfc9111' };
    const document = readableDocument(request);
    if (upstreamUrl === undefined || publicBase === undefined) return document;
    return { ...document, rewrite: archiveRewrite({ upstreamUrl, publicBase, hosts, isFile }) };
  }

  function resolve(path: string, upstreamUrl: string): string | undefined {
    const own = authorityOf(upstreamUrl);
    return foreignUrl(path, (authority) => authority === own || hosts.includes(authority), isFile);
  }
}

function isFile(path: string): boolean {
  return versionOf(path) !== undefined && !hasDotSegments(path);
}

/** The version of a provider's archive: `terraform-provider-TYPE_VERSION_OS_ARCH.zip`. */
function versionOf(path: string): string | undefined {
  const file = path.slice(path.lastIndexOf('/') + 1);
  if (!archive.test(file) || /[?#]/.test(path)) return undefined;
  const of = file.split('_').at(-3);
  return of !== undefined && version.test(of) ? of : undefined;
}

/** Absolute URLs of archives lead to the gateway; relative ones do already. */
function archiveRewrite(places: FilePlaces): Rewrite {
  const { upstreamUrl, publicBase, hosts } = places;
  return {
    id: ['terraform-archives-1', upstreamUrl, publicBase, ...hosts].join(' '),
    create: () =>
      new JsonStringRewriter({ archives: { '*': { url: true } } }, { map: gatewayUrls(places) }),
  };
}

/** Finds the `zh:` hash of an archive, which is the SHA-256 of the file. */
function archiveHashFinder(file: string): DigestFinder {
  return new EntryDigestFinder({
    select: { archives: { '*': { url: true, hashes: { '[]': true } } } },
    take(entry, text, key) {
      if (key === 'url') entry.isNamed = lastSegment(text) === file;
      const digest = text.startsWith('zh:') && digestFromHex('sha256', text.slice(3));
      // Some give those of all platforms: then none is known to be this one's.
      if (digest && key === '[]') entry.digests.push(digest);
    },
    // The root and `archives` are still open: a platform's entry has ended.
    ends: (depth) => depth === 2,
  });
}

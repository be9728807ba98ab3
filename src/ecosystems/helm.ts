import { hasDotSegments, originOf, pathOf } from '../core/canonical-url.ts';
import type { Classification, ClassifyRequest } from '../core/classification.ts';
import { readableDocument } from './document.ts';
import type { Ecosystem } from './ecosystem.ts';
import { authorityOf, foreignUrl } from './foreign-file.ts';
import { ChartDigestFinder, chartRewrite } from './helm-index.ts';

export interface HelmOptions {
  /** Other hosts (with a port where it is not the scheme's) whose charts are fetched. */
  readonly hosts: readonly string[];
}

/** Where many repositories have their charts, beside an index on a page of their own. */
const publicHosts: readonly string[] = ['github.com'];
const versioned = /.-v?\d/;
/** Folders above a chart in which its index may be. */
const maxFolders = 4;

/** Helm's chart repositories: Helm's documentation, "The Chart Repository Guide". */
export function createHelm(options: HelmOptions): Ecosystem {
  const given = options.hosts.map((host) => host.toLowerCase());
  const hosts = [...new Set([...publicHosts, ...given])];

  return { id: 'helm', hosts: given, classify, resolve };

  function classify(request: ClassifyRequest): Classification {
    const { url, upstreamUrl, publicBase } = request;
    const path = pathOf(url);
    if (isChart(path)) {
      const urls = indexesOf(url, upstreamUrl).map((folder) => `${folder}/index.yaml`);
      return { kind: 'artifact', digestFrom: { urls, find: () => new ChartDigestFinder(url) } };
    }
    if (isChart(path.replace(/\.prov$/, ''))) return { kind: 'artifact' };
    if (!path.endsWith('/index.yaml') || hasDotSegments(path)) {
      return { kind: 'index', freshness: 'rfc9111' };
    }
    const document = readableDocument(request);
    if (upstreamUrl === undefined || publicBase === undefined) return document;
    const places = { upstreamUrl, publicBase, hosts, isFile };
    return { ...document, rewrite: chartRewrite(places) };
  }

  function resolve(path: string, upstreamUrl: string): string | undefined {
    const own = authorityOf(upstreamUrl);
    return foreignUrl(path, (authority) => authority === own || hosts.includes(authority), isFile);
  }
}

/** A chart, or the proof of where it is from. */
function isFile(path: string): boolean {
  return isChart(path.replace(/\.prov$/, ''));
}

function isChart(path: string): boolean {
  if (!path.endsWith('.tgz') || /[?#]/.test(path) || hasDotSegments(path)) return false;
  return versioned.test(path.slice(path.lastIndexOf('/') + 1));
}

/** Folders that may have the index of a chart: those above it, or the mount's own. */
function indexesOf(url: string, upstreamUrl: string | undefined): readonly string[] {
  if (upstreamUrl !== undefined && !url.startsWith(`${upstreamUrl}/`)) return [upstreamUrl];
  const origin = originOf(url);
  const folders: string[] = [];
  let folder = url.slice(0, url.lastIndexOf('/'));
  while (folders.length < maxFolders && folder.length >= origin.length) {
    folders.push(folder);
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/')));
  }
  return folders;
}

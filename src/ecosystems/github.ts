import { hasDotSegments, pathOf } from '../core/canonical-url.ts';
import type { Classification } from '../core/classification.ts';
import type { Ecosystem } from './ecosystem.ts';
import { authorityOf, foreignUrl } from './foreign-file.ts';

export interface GithubOptions {
  /** Other hosts (with a port where it is not the scheme's) that have the same paths. */
  readonly hosts: readonly string[];
}

/** Where archives and raw files are behind github.com's redirects. */
const fileHosts: readonly string[] = ['codeload.github.com', 'raw.githubusercontent.com'];

const repository = String.raw`^/[\w.-]+/[\w.-]+`;
const commit = '[0-9a-f]{40}';
const archiveOfCommit = new RegExp(
  String.raw`${repository}/(?:archive/${commit}\.(?:zip|tar\.gz)|(?:legacy\.)?(?:zip|tar\.gz)/${commit})$`,
);
const rawOfCommit = new RegExp(`${repository}/raw/${commit}/.`);
/** On the host of raw files the commit stands where elsewhere a page's name does. */
const fileOfCommit = new RegExp(`${repository}/${commit}/.`);
/** Under the name of a tag or branch: both can be moved, and an asset can be replaced. */
const named = new RegExp(
  String.raw`${repository}/(?:releases/(?:download/[^/]+/[^/]+|latest/download/[^/]+)|archive/.+\.(?:zip|tar\.gz)|(?:legacy\.)?(?:zip|tar\.gz)/.+|raw/.+)$`,
);

/** GitHub's downloads: releases, archives of the source, raw files. Everything else passes through. */
export function createGithub(options: GithubOptions): Ecosystem {
  const given = options.hosts.map((host) => host.toLowerCase());
  const hosts = [...new Set([...fileHosts, ...given])];

  return {
    id: 'github',
    hosts: ['github.com', ...hosts],
    classify: ({ url }) => classificationOf(pathOf(url), authorityOf(url)),
    resolve: (path, upstreamUrl) => {
      const isAllowed = (host: string) => host === authorityOf(upstreamUrl) || hosts.includes(host);
      return foreignUrl(path, isAllowed, (file) => isFile(file));
    },
  };
}

function isFile(path: string): boolean {
  return !hasDotSegments(path) && /^(?:\/[^/?]+){3,}$/.test(path);
}

function classificationOf(path: string, host: string): Classification {
  if (path.includes('?') || hasDotSegments(path)) return other;
  if (archiveOfCommit.test(path) || rawOfCommit.test(path)) return { kind: 'artifact' };
  if (host === 'raw.githubusercontent.com') {
    return fileOfCommit.test(path) ? { kind: 'artifact' } : { kind: 'index', freshness: 'rfc9111' };
  }
  return named.test(path) ? { kind: 'index', freshness: 'rfc9111' } : other;
}

const other: Classification = {
  kind: 'passthrough',
  reason: 'neither a release, nor an archive, nor a raw file',
};

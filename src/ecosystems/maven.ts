import { createHash } from 'node:crypto';
import { pathOf } from '../core/canonical-url.ts';
import type { ArtifactClassification, IndexClassification, Merge } from '../core/classification.ts';
import { fieldValue, type RawHeaders } from '../core/raw-headers.ts';
import { ChecksumFileFinder, checksumSuffixes } from './checksum-file.ts';
import type { Ecosystem } from './ecosystem.ts';
import { mergedMetadata } from './maven-metadata.ts';
import { parseMavenPath } from './maven-path.ts';
import { chosenFields } from './negotiation.ts';

/**
 * Maven repositories, as Maven, Gradle, Ivy, sbt and others read them: the default layout of "Maven
 * Artifact Resolver", and "Maven Repository Metadata" for what changes there.
 */
export const maven: Ecosystem = {
  id: 'maven',
  hosts: ['repo.maven.apache.org', 'repo1.maven.org'],
  // Clients have a list of repositories themselves; a version of one is not that of another.
  upstreams: 'repositories',
  classify: ({ url, headers }) => {
    const requestHeaders = withoutHabits(headers);
    return { ...classificationOf(url), ...(requestHeaders && { requestHeaders }) };
  },
};

const metadataFile = /\/maven-metadata(\.xml(?:\.\w+)?)$/;

/** By the end of its name. The checksums of what is merged could be nobody else's. */
const metadataMerges: ReadonlyMap<string, Merge> = new Map([
  ['.xml', metadataMerge('', 'application/xml', (document) => document)],
  ...checksumSuffixes.map((suffix) => {
    const checksum = (document: Uint8Array) =>
      Buffer.from(createHash(suffix.slice(1)).update(document).digest('hex'));
    return [`.xml${suffix}`, metadataMerge(suffix, 'text/plain', checksum)] as const;
  }),
]);

function metadataMerge(suffix: string, type: string, present: Merge['present']): Merge {
  return { suffix, type, merge: mergedMetadata, present };
}

/** Maven asks for everything with `no-cache, no-store`, also for what cannot change. */
function withoutHabits(headers: RawHeaders): RawHeaders | undefined {
  if (!/^Apache-Maven\//.test(fieldValue(headers, 'user-agent') ?? '')) return undefined;
  return chosenFields(headers, { 'Cache-Control': () => null, Pragma: () => null });
}

function classificationOf(url: string): ArtifactClassification | IndexClassification {
  switch (parseMavenPath(pathOf(url))) {
    case 'release': {
      const urls = checksumSuffixes.map((suffix) => url + suffix);
      // Every repository has that one, and every client asks for it next.
      const ask = `${url}.sha1`;
      return { kind: 'artifact', digestFrom: { urls, ask, find: () => new ChecksumFileFinder() } };
    }
    case 'signature':
      return { kind: 'artifact' };
    case 'checksum':
      return { kind: 'index', freshness: 'forever' };
    // Metadata, its checksums and what is deployed again under its name must be of one moment.
    case 'moving': {
      const merge = metadataMerges.get(metadataFile.exec(pathOf(url))?.[1] ?? '');
      return { kind: 'index', freshness: 'validate', ...(merge && { merge }) };
    }
    case 'other':
      return { kind: 'index', freshness: 'rfc9111' };
  }
}

import { pathOf } from '../core/canonical-url.ts';
import type {
  Classification,
  ClassifyRequest,
  DigestFinder,
  DigestSource,
  IndexClassification,
} from '../core/classification.ts';
import { type Digest, digestFromHex } from '../core/digest.ts';
import { readableDocument } from './document.ts';
import type { Ecosystem } from './ecosystem.ts';
import { authorityOf } from './foreign-file.ts';
import { type GemName, parseGemsPath } from './gems-path.ts';
import { LineReader } from './line-reader.ts';
import { chosenFields, encodingFor } from './negotiation.ts';

/** All of a version's requirements; a longer line is passed over. */
const maxLineBytes = 256 * 1024;

const known: readonly string[] = ['rubygems.org', 'index.rubygems.org'];

/**
 * RubyGems: the compact index (RubyGems Guides, "Compact Index API"), the older index of marshalled
 * files, and gems. Bundler asks for what was appended to a file by its range and entity tag, which
 * are the upstream's own here: nothing is rewritten.
 */
export const gems: Ecosystem = {
  id: 'gems',
  hosts: known,
  classify,
  /** What older versions of gem ask for to learn whether there is a compact index. */
  resolve: (path, upstreamUrl) =>
    path === '/' || path === '' ? `${upstreamUrl}/versions` : undefined,
};

function classify(request: ClassifyRequest): Classification {
  const path = parseGemsPath(pathOf(request.url));
  switch (path.kind) {
    case 'gem': {
      const index = indexOf(request, path.root);
      if (index === undefined) return { kind: 'artifact' };
      return { kind: 'artifact', digestFrom: digestFrom(index, path.names) };
    }
    case 'spec':
      return { kind: 'artifact' };
    case 'versions':
      // gem asks by HEAD whether there is one, bundler reads it: the one finds what the other left.
      return { ...unpacked(request), wholeForHead: true };
    case 'index':
      return unpacked(request);
    case 'api':
      return { kind: 'passthrough', reason: 'the web API of the registry must be current' };
    case 'root':
      // Older versions of gem ask it by HEAD in the same way, where they know the server by its own URL.
      return { kind: 'index', freshness: 'rfc9111', wholeForHead: true };
    case 'other':
      return { kind: 'index', freshness: 'rfc9111' };
  }
}

/**
 * Bundler asks for the whole with gzip and for a range without: one representation for both, so that
 * its entity tag and length mean the same.
 */
function unpacked(request: ClassifyRequest): IndexClassification {
  const requestHeaders = chosenFields(request.headers, {
    'Accept-Encoding': (value) => encodingFor(value) && 'identity',
  });
  return { ...readableDocument(request), ...(requestHeaders && { requestHeaders }) };
}

/** Where the compact index is that names a gem; the public one has a host of its own. */
function indexOf({ url, upstreamUrl }: ClassifyRequest, root: string): string | undefined {
  if (upstreamUrl !== undefined) return upstreamUrl;
  return known.includes(authorityOf(url)) && root === '' ? 'https://rubygems.org' : undefined;
}

function digestFrom(index: string, names: readonly GemName[]): DigestSource {
  return {
    urls: names.map(({ name }) => `${index}/info/${name}`),
    find: () => new GemChecksumFinder(names),
  };
}

/** Finds the `checksum` (SHA-256) of a version in a gem's file of the compact index. */
class GemChecksumFinder implements DigestFinder {
  readonly #lines: LineReader;
  #found: Digest | undefined;

  constructor(names: readonly GemName[]) {
    this.#lines = new LineReader(maxLineBytes, (line) => {
      const name = names.find(({ version }) => line.startsWith(`${version} `));
      if (!name) return false;
      const [, hex = ''] = /[|,]checksum:([0-9a-f]{64})(?:,|$)/.exec(line) ?? [];
      this.#found = digestFromHex('sha256', hex);
      return true;
    });
  }

  push(chunk: Uint8Array): boolean {
    return this.#lines.push(chunk);
  }

  digest(): Digest | undefined {
    this.#lines.end();
    return this.#found;
  }
}

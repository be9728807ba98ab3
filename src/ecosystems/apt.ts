import type { Classification, ClassifyRequest } from '../core/classification.ts';
import { fieldValue } from '../core/raw-headers.ts';
import { type AptPath, parseAptPath } from './apt-path.ts';
import type { Ecosystem } from './ecosystem.ts';

export interface AptOptions {
  /** Hosts (exact, lower case) that are known to hold apt repositories, for the forward proxy. */
  readonly hosts: readonly string[];
}

/** apt repositories as Debian's wiki describes them under "DebianRepository/Format". */
export function createApt(options: AptOptions): Ecosystem {
  return {
    id: 'apt',
    hosts: options.hosts,
    recognises,
    classify: (request) => classificationOf(parseAptPath(request.url)),
  };
}

function classificationOf(path: AptPath): Classification {
  switch (path.kind) {
    case 'by-hash':
      return { kind: 'artifact', digest: path.digest };
    case 'package':
      return { kind: 'artifact' };
    // A signed Release names the digests of the others: all of them must be of one moment.
    case 'index':
      return { kind: 'index', freshness: 'validate' };
    case 'other':
      return { kind: 'index', freshness: 'rfc9111' };
  }
}

/**
 * The shape alone decides where it is apt's own, so that a URL is judged the same whoever asks. Names
 * that any site might use (`/dists/a/b`, `/Release`, `/Packages`) need apt's own User-Agent besides.
 */
function recognises(request: ClassifyRequest): boolean {
  const path = parseAptPath(request.url);
  switch (path.kind) {
    case 'by-hash':
    case 'package':
      return true;
    case 'index':
      return path.distinctive || isApt(request);
    case 'other':
      return false;
  }
}

function isApt(request: ClassifyRequest): boolean {
  return /^Debian APT-/.test(fieldValue(request.headers, 'user-agent') ?? '');
}

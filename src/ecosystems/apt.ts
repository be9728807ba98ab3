import type {
  Classification,
  ClassifyRequest,
  IndexClassification,
} from '../core/classification.ts';
import { fieldValue, type RawHeaders } from '../core/raw-headers.ts';
import { archivesOf, packagesList } from './apt-packages.ts';
import { parseAptPath } from './apt-path.ts';
import { releasesNaming } from './apt-release.ts';
import type { Ecosystem } from './ecosystem.ts';
import { chosenFields } from './negotiation.ts';

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
    classify: classificationOf,
  };
}

function classificationOf({ url, headers }: ClassifyRequest): Classification {
  const path = parseAptPath(url);
  const list = packagesList(url);
  const lists = list && { lists: list };
  switch (path.kind) {
    case 'by-hash':
      return { kind: 'artifact', digest: path.digest, ...lists };
    case 'package': {
      const listedBelow = archivesOf(url);
      return { kind: 'artifact', ...(listedBelow.length > 0 && { listedBelow }) };
    }
    case 'index': {
      const pinnedBy = releasesNaming(url);
      return { ...indexOf(url, headers), ...(pinnedBy && { pinnedBy }), ...lists };
    }
    case 'other':
      return { kind: 'index', freshness: 'rfc9111' };
  }
}

/** A suite's own description, or what it describes. */
function indexOf(url: string, headers: RawHeaders): IndexClassification {
  switch (url.slice(url.lastIndexOf('/') + 1)) {
    case 'InRelease':
    case 'Release': {
      const requestHeaders = withoutHabit(headers);
      const release = { kind: 'index', freshness: 'explicit', names: true } as const;
      return { ...release, ...(requestHeaders && { requestHeaders }) };
    }
    case 'Release.gpg':
      return { kind: 'index', freshness: 'validate', fits: url.replace(/\.gpg$/, '') };
    // What no Release file names has nothing but the moment in common with it.
    default:
      return { kind: 'index', freshness: 'validate' };
  }
}

/** apt asks for every index with `max-age=0`; what is meant is a cache that takes age for freshness. */
function withoutHabit(headers: RawHeaders): RawHeaders | undefined {
  if (!isApt(headers)) return undefined;
  return chosenFields(headers, {
    'Cache-Control': (value) => (value?.trim() === 'max-age=0' ? null : undefined),
  });
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
      return path.distinctive || isApt(request.headers);
    case 'other':
      return false;
  }
}

function isApt(headers: RawHeaders): boolean {
  return /^Debian APT-/.test(fieldValue(headers, 'user-agent') ?? '');
}

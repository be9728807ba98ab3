import { hasDotSegments, pathOf } from '../core/canonical-url.ts';
import type { Classification } from '../core/classification.ts';
import type { Ecosystem } from './ecosystem.ts';

/** A canonical version (pseudo-versions too); `!` stands before a capital letter. */
const version = String.raw`v\d+\.\d+\.\d+(?:-[\w.!-]+)?(?:\+incompatible)?`;
const versioned = new RegExp(`/@v/${version}\\.(?:info|mod|zip|ziphash)$`);
const query = /\/@v\/(?:list|[^/]+\.(?:info|mod|zip))$|\/@latest$/;
/** golang.org/design/25530-sumdb: tiles are complete under their name, partial ones too. */
const tile = /\/tile\/\d+\/(?:data|\d+)\/(?:x\d{3}\/)*\d{3}(?:\.p\/\d{1,3})?$/;
const lookup = new RegExp(`/lookup/[^@]+@${version}(?:/go\\.mod)?$`);
const treeHead = /\/latest$/;

/**
 * Go modules: the GOPROXY protocol of the Go Modules Reference, and checksum databases, directly or
 * below `/sumdb/`. A module's checksum is not one of the zip file's bytes, and the go command
 * verifies it itself; a zip is kept as it came.
 */
export const go: Ecosystem = {
  id: 'go',
  hosts: ['proxy.golang.org', 'sum.golang.org'],
  // As in a GOPROXY list with commas.
  upstreams: 'repositories',
  classify: ({ url }) => classificationOf(pathOf(url)),
};

function classificationOf(pathAndQuery: string): Classification {
  const path = pathAndQuery.replace(/%2b/gi, '+').replace(/%21/g, '!').replace(/%40/g, '@');
  if (path.includes('?') || hasDotSegments(path)) return plainIndex;
  if (versioned.test(path)) return { kind: 'artifact' };
  // Branches, tags that are no versions, and what is newest: they move.
  if (query.test(path)) return plainIndex;
  // What a database once said of a version it says for ever; its tree only grows.
  if (tile.test(path) || lookup.test(path)) return { kind: 'artifact' };
  if (treeHead.test(path)) return { kind: 'index', freshness: 'validate' };
  return plainIndex;
}

const plainIndex: Classification = { kind: 'index', freshness: 'rfc9111' };

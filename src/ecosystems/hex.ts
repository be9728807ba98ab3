import { hasDotSegments, pathOf } from '../core/canonical-url.ts';
import type { Classification, ClassifyRequest } from '../core/classification.ts';
import { readableDocument } from './document.ts';
import type { Ecosystem } from './ecosystem.ts';
import { OuterChecksumFinder } from './hex-package.ts';

const name = '[a-z][a-z0-9_]*';
const tarball = new RegExp(String.raw`^([^?#]*)/tarballs/(${name})-(\d[\w.+-]*)\.tar$`);
const version = /^\d+\.\d+\.\d+/;
const registry = new RegExp(`/(?:names|versions|packages/${name}|public_key)$`);

/**
 * Hex repositories, for Elixir, Erlang and Gleam: the "Repository" specification of hexpm. The
 * registry's files are signed, so nothing in them is changed.
 */
export const hex: Ecosystem = {
  id: 'hex',
  hosts: ['repo.hex.pm'],
  classify,
};

function classify(request: ClassifyRequest): Classification {
  const { url } = request;
  const path = pathOf(url).replace(/%2b/gi, '+');
  if (hasDotSegments(path)) return { kind: 'index', freshness: 'rfc9111' };
  const [, , packageName = '', of = ''] = tarball.exec(path) ?? [];
  if (version.test(of)) {
    const root = url.slice(0, url.lastIndexOf('/tarballs/'));
    const urls = [`${root}/packages/${packageName}`];
    return { kind: 'artifact', digestFrom: { urls, find: () => new OuterChecksumFinder(of) } };
  }
  return registry.test(path) ? readableDocument(request) : { kind: 'index', freshness: 'rfc9111' };
}

import { Buffer } from 'node:buffer';
import { createPypi } from '../../src/ecosystems/pypi.ts';
import type { MicroCase } from './case.ts';

const chunkBytes = 64 * 1024;
const files = 6_000;
const pypi = createPypi({ hosts: ['files.example.com'] });

/** A project's page of about 2 MB in each format through the rewriter, as it comes from a socket. */
export const pypiRewriteCases: readonly MicroCase[] = [
  caseOf('PyPI page rewriting, HTML', htmlPage()),
  caseOf('PyPI page rewriting, JSON', jsonPage()),
];

function caseOf(name: string, page: string): MicroCase {
  const answer = pypi.classify({
    method: 'GET',
    url: 'https://pypi.example.com/simple/example/',
    path: '/simple/example/',
    headers: [],
    upstreamUrl: 'https://pypi.example.com',
    publicBase: 'http://cache.example.com:8080/pypi',
  });
  if (answer.kind !== 'index' || !answer.rewrite) throw new TypeError('a page is rewritten');
  const { rewrite } = answer;
  const document = Buffer.from(page);
  const count = Math.ceil(document.length / chunkBytes);
  const chunks = Array.from({ length: count }, (_, i) =>
    document.subarray(i * chunkBytes, (i + 1) * chunkBytes),
  );
  return {
    name,
    times: 1,
    bytes: document.length,
    run(times) {
      let bytes = 0;
      for (let i = 0; i < times; i++) {
        const rewriter = rewrite.create();
        for (const chunk of chunks) for (const out of rewriter.push(chunk)) bytes += out.length;
        for (const out of rewriter.end()) bytes += out.length;
      }
      return bytes;
    },
  };
}

function htmlPage(): string {
  const links = names().map(
    (name) =>
      `<a href="${urlOf(name)}#sha256=${'a'.repeat(64)}" data-requires-python="&gt;=3.8" data-core-metadata="sha256=${'b'.repeat(64)}">${name}</a><br />\n`,
  );
  return `<!DOCTYPE html><html><body>\n${links.join('')}</body></html>`;
}

function jsonPage(): string {
  const entries = names().map((name) => ({
    'core-metadata': { sha256: 'b'.repeat(64) },
    filename: name,
    hashes: { sha256: 'a'.repeat(64) },
    'requires-python': '>=3.8',
    size: 123_456,
    url: urlOf(name),
    yanked: false,
  }));
  return JSON.stringify({ meta: { 'api-version': '1.3' }, files: entries, name: 'example' });
}

function names(): string[] {
  return Array.from({ length: files }, (_, i) => `example-1.0.${i}-py3-none-any.whl`);
}

function urlOf(name: string): string {
  return `https://files.example.com/packages/ab/cd/${'e'.repeat(60)}/${name}`;
}

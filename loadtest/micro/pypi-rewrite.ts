import { Buffer } from 'node:buffer';
import type { Rewrite } from '../../src/core/classification.ts';
import { createPypi } from '../../src/ecosystems/pypi.ts';
import type { DocumentCase } from './rewriting.ts';

const files = 36_000;
const pypi = createPypi({ hosts: ['files.example.com'] });

/** A project's page of more than 10 MiB in each format. */
export const pypiDocuments: readonly DocumentCase[] = [
  { name: 'PyPI page, HTML', rewrite: pageRewrite(), document: () => Buffer.from(htmlPage()) },
  { name: 'PyPI page, JSON', rewrite: pageRewrite(), document: () => Buffer.from(jsonPage()) },
];

function pageRewrite(): Rewrite {
  const answer = pypi.classify({
    method: 'GET',
    url: 'https://pypi.example.com/simple/example/',
    path: '/simple/example/',
    headers: [],
    upstreamUrl: 'https://pypi.example.com',
    publicBase: 'http://cache.example.com:8080/pypi',
  });
  if (answer.kind !== 'index' || !answer.rewrite) throw new TypeError('a page is rewritten');
  return answer.rewrite;
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

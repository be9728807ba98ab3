import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClassifyRequest } from '../../src/core/classification.ts';
import { createPypi } from '../../src/ecosystems/pypi.ts';
import { describeEcosystem } from './ecosystem-conformance.ts';

const upstreamUrl = 'https://pypi.org';
const publicBase = 'https://cache.example.com/pypi';
const hosts = ['files.test:8443'];
const pypi = createPypi({ hosts });

const pages = [
  '/simple/',
  '/simple',
  '/simple/some-project/',
  '/simple/Some.Project',
  '/simple/a/?x',
];
const wheel = 'some_project-1.0-py3-none-any.whl';
const files = [
  `/packages/ab/cd/${wheel}`,
  `/packages/ab/cd/${wheel}.metadata`,
  `/packages/ab/cd/${wheel}.asc`,
  '/packages/some-project-1.0.tar.gz',
  '/packages/some_project-1!2.0rc1+local.1.zip',
  '/packages/old_egg-0.1-py2.7.egg',
  '/simple/some-project/some-project-2024.1.tar.bz2',
];
const others = [
  '/',
  '/pypi/some-project/json',
  '/simple/a/b',
  '/packages/readme.txt',
  '/simple/%2e%2e/',
];

describeEcosystem({
  create: () => createPypi({ hosts }),
  upstreamUrl,
  paths: [...pages, ...files, ...others, '/-/at/https/files.test:8443/a-1.0.zip'],
  headers: ['Accept', 'text/html', 'Accept-Encoding', 'gzip, deflate'],
  allowedHosts: [...hosts, 'files.pythonhosted.org'],
});

function get(path: string, headers: readonly string[] = []): ClassifyRequest {
  return { method: 'GET', url: upstreamUrl + path, path, headers, upstreamUrl, publicBase };
}

function rewritten(page: string, path = '/simple/some-project/', step = 1e6): string {
  const answer = pypi.classify(get(path));
  if (answer.kind !== 'index' || !answer.rewrite) throw new Error('there is no rewrite');
  const rewriter = answer.rewrite.create();
  const bytes = Buffer.from(page);
  const output: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += step) {
    output.push(...rewriter.push(bytes.subarray(at, at + step)));
  }
  return Buffer.concat([...output, ...rewriter.end()]).toString();
}

function digestIn(page: string, path: string, step = 1e6): unknown {
  const answer = pypi.classify(get(path));
  const finder = answer.kind === 'artifact' ? answer.digestFrom?.find() : undefined;
  const bytes = Buffer.from(page);
  for (let at = 0; at < bytes.length; at += step) {
    if (finder?.push(bytes.subarray(at, at + step))) break;
  }
  return finder?.digest();
}

describe('pypi paths', () => {
  it.each(pages)('takes %s for a page with variants', (path) => {
    expect(pypi.classify(get(path))).toMatchObject({
      kind: 'index',
      freshness: 'rfc9111',
      vary: ['accept', 'accept-encoding'],
    });
  });

  it.each(files)('keeps the file %s', (path) => {
    expect(pypi.classify(get(path)).kind).toBe('artifact');
  });

  it.each(others)('leaves %s to the response', (path) => {
    expect(pypi.classify(get(path))).toEqual({ kind: 'index', freshness: 'rfc9111' });
  });

  it.each([
    [`/packages/${wheel}`, ['some-project']],
    ['/packages/Zope.Interface-5.0.tar.gz', ['zope-interface']],
    ['/packages/a-2-b-1.0.tar.gz', ['a', 'a-2-b']],
  ])('looks for the digest of %s on the pages of %s', (path, names) => {
    const answer = pypi.classify(get(path));
    const urls = answer.kind === 'artifact' ? answer.digestFrom?.urls : undefined;
    expect(urls?.slice(0, names.length)).toEqual(
      names.map((name) => `${upstreamUrl}/simple/${name}/`),
    );
  });

  it('asks for a project by its normal name, whatever the client calls it', () => {
    const resolve = (path: string) => pypi.resolve?.(path, upstreamUrl);
    expect(resolve('/simple/Some_.Project')).toBe(`${upstreamUrl}/simple/some-project/`);
    expect(resolve('/root/pypi/+simple/A/?x=1')).toBe(`${upstreamUrl}/root/pypi/+simple/a/?x=1`);
    expect(resolve('/simple/some-project/')).toBeUndefined();
    expect(resolve('/simple/')).toBeUndefined();
    expect(resolve('/-/at/https/files.test:8443/x/a-1.0.zip')).toBe(
      'https://files.test:8443/x/a-1.0.zip',
    );
    expect(resolve('/-/at/https/files.test%3A8443/x/a-1.0.zip')).toBe(
      'https://files.test:8443/x/a-1.0.zip',
    );
    expect(resolve('/-/at/https/files.test:8443/x/secret.txt')).toBeUndefined();
    expect(resolve('/-/at/https/evil.example/a-1.0.zip')).toBeUndefined();
  });

  it.each([
    [
      'pip',
      'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01',
      undefined,
    ],
    [
      'uv',
      'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01',
      'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01',
    ],
    ['a browser', 'text/html,application/xhtml+xml,*/*;q=0.8', 'text/html'],
    ['anything', '*/*', 'text/html'],
    ['JSON alone', 'application/vnd.pypi.simple.v1+json', undefined],
    ['a future version', 'application/vnd.pypi.simple.v2+json, text/html;q=0.5', undefined],
  ])('reduces what %s accepts to few variants', (_who, accept, expected) => {
    const answer = pypi.classify(get('/simple/a/', ['Accept', accept, 'Accept-Encoding', 'gzip']));
    const fields = answer.kind === 'index' ? answer.requestHeaders : undefined;
    expect(fields?.[fields.indexOf('Accept') + 1]).toBe(expected);
  });
});

it('takes pip’s max-age=0 for what it is, a word to its own cache', () => {
  const fields = ['Accept', 'text/html', 'Accept-Encoding', 'gzip'];
  const control = (value: string) => {
    const answer = pypi.classify(get('/simple/a/', [...fields, 'Cache-Control', value]));
    return answer.kind === 'index' ? answer.requestHeaders : undefined;
  };
  expect(control('max-age=0')).toEqual(fields);
  expect(control('no-cache')).toBeUndefined();
});

const html = `<!DOCTYPE html><!-- <a href="https://files.pythonhosted.org/packages/no-1.0.zip"> -->
<A  class=x HREF='https://files.pythonhosted.org/packages/a/${wheel}#sha256=${'a'.repeat(64)}' data-requires-python=">=3.7" data-yanked="why &amp; how" data-core-metadata="sha256=${'b'.repeat(64)}">${wheel}</A>
<a data-x="1 > 0" href="../../files/some-project-1.0.zip?a=1&amp;b=2">x</a><abbr href="https://pypi.org/x">
<a href=/packages/some-project-2.0.zip>y</a><a name="z">z</a><a href="https://other.test/some-project-1.0.zip">
<a href="https://files.pythonhosted.org/index.txt">t</a><a href="http://files.test:8443/p/q-1.0.zip">q</a>`;
const served = html
  .replace(
    `HREF='https://files.pythonhosted.org/packages/a/${wheel}#sha256=${'a'.repeat(64)}'`,
    `href="${publicBase}/-/at/https/files.pythonhosted.org/packages/a/${wheel}#sha256=${'a'.repeat(64)}"`,
  )
  .replace('"../../files/some-project-1.0.zip', `"${publicBase}/files/some-project-1.0.zip`)
  .replace('=/packages/some-project-2.0.zip', `="${publicBase}/packages/some-project-2.0.zip"`)
  .replace('"http://files.test:8443/', `"${publicBase}/-/at/http/files.test:8443/`);

describe('pypi pages in HTML', () => {
  it('lead to the gateway for files, and are the same otherwise', () => {
    expect(rewritten(html)).toBe(served);
  });

  it('are rewritten the same wherever they are cut', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), (step) => {
        expect(rewritten(html, undefined, step)).toBe(served);
      }),
      { numRuns: 60 },
    );
  });

  it('come out in as many pieces as they went in: each is a job of its own where it is packed', () => {
    const answer = pypi.classify(get('/simple/some-project/'));
    if (answer.kind !== 'index' || !answer.rewrite) throw new Error('there is no rewrite');
    expect(answer.rewrite.create().push(Buffer.from(html.repeat(10)))).toHaveLength(1);
  });

  it('lead to the gateway for projects too', () => {
    expect(rewritten('<a href="/simple/b/">', '/simple')).toBe(
      `<a href="${publicBase}/simple/b/">`,
    );
    expect(rewritten('<a href="b/">', '/simple/')).toBe(`<a href="${publicBase}/simple/b/">`);
  });

  it.each([
    '<a href="//evil.example/a-1.0.zip">',
    '<a href="http://127.0.0.1/a-1.0.zip">',
    '<a href="https://files.pythonhosted.org@evil.example/a-1.0.zip">',
    '<a href="javascript:alert(1)">',
    '<a href="https://[::1/a-1.0.zip">',
    '<a href="',
    '<!-- <a href="/simple/b/">',
    '<',
    `<a href="${'x'.repeat(20_000)}">`,
    '<a\u00a0href="/simple/b/">',
  ])('keep what leads elsewhere or is no link: %s', (page) => {
    expect(rewritten(page)).toBe(page);
  });

  it('tell the digests of files and of their metadata', () => {
    const of = (letter: string) => ({ algorithm: 'sha256', hex: letter.repeat(64) });
    expect(digestIn(html, `/p/${wheel}`)).toEqual(of('a'));
    expect(digestIn(html, `/p/${wheel}.metadata`)).toEqual(of('b'));
    expect(digestIn(html, '/p/some-project-1.0.zip')).toBeUndefined();
    for (let step = 1; step < 60; step++)
      expect(digestIn(html, `/p/${wheel}`, step)).toEqual(of('a'));
    expect(digestIn(html.replace('sha256=aa', 'crc99=aa'), `/p/${wheel}`)).toBeUndefined();
  });
});

describe('pypi pages in JSON', () => {
  const hash = (algorithm: string) => createHash(algorithm).update('x').digest('hex');
  const page = (url: string, more: object = {}) =>
    JSON.stringify({
      meta: { 'api-version': '1.3' },
      files: [
        { filename: 'other-1.0.zip', hashes: { sha256: '0'.repeat(64) }, url: 'x' },
        {
          'core-metadata': { sha256: hash('sha256') },
          filename: wheel,
          hashes: { blake2b: '00', md5: hash('md5'), sha512: hash('sha512') },
          'requires-python': null,
          size: 12,
          url,
          yanked: 'broken',
          ...more,
        },
      ],
      name: 'some-project',
      versions: ['1.0'],
    });

  it('lead to the gateway for files, and are the same otherwise', () => {
    const url = `https://files.pythonhosted.org/packages/a/${wheel}`;
    expect(rewritten(page(url))).toBe(
      page(`${publicBase}/-/at/https/files.pythonhosted.org/packages/a/${wheel}`).replace(
        '"url":"x"',
        `"url":"${publicBase}/simple/some-project/x"`,
      ),
    );
  });

  it('tell the strongest known digest', () => {
    expect(digestIn(page('u'), `/p/${wheel}`)).toEqual({
      algorithm: 'sha512',
      hex: hash('sha512'),
    });
    expect(digestIn(page('u'), `/p/${wheel}.metadata`)).toEqual({
      algorithm: 'sha256',
      hex: hash('sha256'),
    });
    expect(digestIn(page('u', { hashes: {} }), `/p/${wheel}`)).toBeUndefined();
    expect(digestIn(page('u', { 'core-metadata': true }), `/p/${wheel}.metadata`)).toBeUndefined();
  });
});

it('sends no client whose links the proxy carries anywhere else', () => {
  const { publicBase: _base, ...proxied } = get('/simple/a/');
  expect(pypi.classify(proxied)).not.toHaveProperty('rewrite');
});

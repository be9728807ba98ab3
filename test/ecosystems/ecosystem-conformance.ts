import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalUrl, originOf, pathOf } from '../../src/core/canonical-url.ts';
import type { Classification, ClassifyRequest } from '../../src/core/classification.ts';
import { ecosystemIds } from '../../src/core/ecosystem-ids.ts';
import type { RawHeaders } from '../../src/core/raw-headers.ts';
import type { Ecosystem } from '../../src/ecosystems/ecosystem.ts';

export interface ConformanceFixture {
  readonly create: () => Ecosystem;
  /** Canonical, without a trailing slash; on a host that the ecosystem knows where it knows some. */
  readonly upstreamUrl: string;
  /** Paths below the upstream that the ecosystem has something to say of. */
  readonly paths: readonly string[];
  /** Fields that a client of the ecosystem sends. */
  readonly headers?: RawHeaders;
  /** Hosts besides the upstream's to which `resolve` may lead. */
  readonly allowedHosts?: readonly string[];
}

/** What every ecosystem must keep, whatever it knows. */
export function describeEcosystem(fixture: ConformanceFixture): void {
  const { upstreamUrl, headers = [] } = fixture;
  const ecosystem = fixture.create();

  describe(`${ecosystem.id}: the ecosystem contract`, () => {
    it('has an id from the list and hosts in lower case', () => {
      expect(ecosystemIds).toContain(ecosystem.id);
      for (const host of ecosystem.hosts) expect(host).toBe(host.toLowerCase());
    });

    it('gives the same answer to the same frozen request, from any instance', () => {
      fc.assert(
        fc.property(anyPath(fixture), (path) => {
          const request = throughMount(path);
          const answer = comparable(ecosystem.classify(request));
          expect(comparable(ecosystem.classify(request))).toEqual(answer);
          expect(comparable(fixture.create().classify(request))).toEqual(answer);
        }),
      );
    });

    it('answers HEAD as it answers GET', () => {
      fc.assert(
        fc.property(anyPath(fixture), (path) => {
          const request = throughMount(path);
          const head = Object.freeze({ ...request, method: 'HEAD' });
          expect(comparable(ecosystem.classify(head))).toEqual(
            comparable(ecosystem.classify(request)),
          );
        }),
      );
    });

    it('judges a URL the same through the mount and through the forward proxy', () => {
      fc.assert(
        fc.property(anyPath(fixture), (path) => {
          const mounted = resource(ecosystem.classify(throughMount(path)));
          expect(resource(ecosystem.classify(throughProxy(path, upstreamUrl)))).toEqual(mounted);
          expect(resource(ecosystem.classify(throughProxy(path)))).toEqual(mounted);
        }),
      );
    });

    it('rewrites nothing for a client that does not use the mount itself', () => {
      for (const path of fixture.paths) {
        for (const request of [throughProxy(path), throughProxy(path, upstreamUrl)]) {
          expect(ecosystem.classify(request)).not.toHaveProperty('rewrite');
        }
      }
    });

    it('resolves no path to a host that is not allowed', () => {
      const allowed = new Set(
        [originOf(upstreamUrl).replace(/^https?:\/\//, ''), ...(fixture.allowedHosts ?? [])].map(
          (host) => host.toLowerCase(),
        ),
      );
      fc.assert(
        fc.property(fc.oneof(anyPath(fixture), escapePath([...allowed])), (path) => {
          const url = ecosystem.resolve?.(path, upstreamUrl);
          if (url === undefined) return;
          expect(canonicalUrl(url)).toBe(url);
          expect(allowed).toContain(new URL(url).host);
        }),
      );
    });

    it('throws at no path, however hostile, and claims and recognises purely', () => {
      fc.assert(
        fc.property(anyPath(fixture), (path) => {
          const request = throughProxy(path);
          expect(ecosystem.recognises?.(request)).toBe(ecosystem.recognises?.(request));
          expect(ecosystem.claims?.(path)).toBe(ecosystem.claims?.(path));
        }),
      );
    });

    it('looks for digests in documents that are its own, and throws at none', () => {
      const documents = [
        '',
        '{"versions":{"1.0.0":{"dist":{"integrity":1}}}}',
        '<a href="x#sha256=">',
      ];
      fc.assert(
        fc.property(anyPath(fixture), fc.constantFrom(...documents), (path, document) => {
          const answer = ecosystem.classify(throughMount(path));
          if (answer.kind !== 'artifact' || !answer.digestFrom) return;
          const { urls, find } = answer.digestFrom;
          expect(urls.length).toBeLessThanOrEqual(8);
          for (const url of urls) {
            expect(canonicalUrl(url)).toBe(url);
            expect(ecosystem.classify({ ...throughMount('/'), url })).toMatchObject({
              kind: 'index',
            });
          }
          const finder = find();
          finder.push(Buffer.from(document));
          expect(finder.digest()).toBeUndefined();
        }),
      );
    });

    it('looks for what a document has to be in documents that are its own, and throws at none', () => {
      const documents = ['', 'SHA256:\n x 1 y\n', '<repomd><data><location href="x"/>'];
      fc.assert(
        fc.property(anyPath(fixture), fc.constantFrom(...documents), (path, document) => {
          const answer = ecosystem.classify(throughMount(path));
          if (answer.kind !== 'index' || !answer.pinnedBy) return;
          const { urls, find } = answer.pinnedBy;
          expect(urls.length).toBeLessThanOrEqual(8);
          for (const url of urls) {
            expect(canonicalUrl(url)).toBe(url);
            const naming = ecosystem.classify({ ...throughMount('/'), url });
            expect(naming).toMatchObject({ kind: 'index', names: true });
            const finder = find(url);
            finder.push(Buffer.from(document));
            expect(finder.pin()).toBeUndefined();
          }
        }),
      );
    });

    it('knows what a signature fits, which is a document with versions', () => {
      fc.assert(
        fc.property(anyPath(fixture), (path) => {
          const answer = ecosystem.classify(throughMount(path));
          if (answer.kind !== 'index' || answer.fits === undefined) return;
          const document = ecosystem.classify({ ...throughMount('/'), url: answer.fits });
          expect(document).toMatchObject({ kind: 'index', names: true });
        }),
      );
    });

    it('makes independent rewriters whose output the id alone decides', () => {
      const document = Buffer.from('{"name":"a","versions":{"1.0.0":{"dist":{"tarball":"x"}}}}');
      for (const path of fixture.paths) {
        const [first, second] = [fixture.create(), fixture.create()].map((each) => {
          const answer = each.classify(throughMount(path));
          return answer.kind === 'index' ? answer.rewrite : undefined;
        });
        expect(second?.id).toBe(first?.id);
        if (!first || !second) continue;
        const outputs = [first, first, second].map((rewrite) => {
          const rewriter = rewrite.create();
          return Buffer.concat([...rewriter.push(document), ...rewriter.end()]).toString();
        });
        expect(new Set(outputs).size).toBe(1);
      }
    });
  });

  function throughMount(path: string): ClassifyRequest {
    return Object.freeze({
      method: 'GET',
      url: `${upstreamUrl}${path}`,
      path,
      headers: Object.freeze([...headers]),
      upstreamUrl,
      publicBase: 'https://cache.example.com/mount',
    });
  }

  /** With the mount that serves the URL all the same, or without any. */
  function throughProxy(path: string, mountUpstream?: string): ClassifyRequest {
    const url = `${upstreamUrl}${path}`;
    return Object.freeze({
      method: 'GET',
      url,
      path: mountUpstream === undefined ? pathOf(url) : path,
      headers: Object.freeze([...headers]),
      ...(mountUpstream !== undefined && { upstreamUrl: mountUpstream }),
    });
  }
}

/** A classification with what tells its functions apart in their place. */
function comparable(answer: Classification): unknown {
  if (answer.kind === 'passthrough') return answer;
  const lists = answer.lists && [answer.lists.root, answer.lists.id];
  switch (answer.kind) {
    case 'index':
      return { ...answer, lists, rewrite: answer.rewrite?.id, pinnedBy: answer.pinnedBy?.urls };
    case 'artifact':
      return { ...answer, lists, digestFrom: answer.digestFrom?.urls };
  }
}

/** What a classification says of the resource, whoever asks. */
function resource(answer: Classification): unknown {
  if (answer.kind !== 'index') return comparable(answer);
  const { rewrite: _rewrite, servedVary: _servedVary, pinnedBy, lists, ...rest } = answer;
  return { ...rest, pinnedBy: pinnedBy?.urls, lists: lists && [lists.root, lists.id] };
}

const hostilePieces = [
  ...['/', '//', '..', '.', '%2e%2e', '%2E.', '%2f', '%2F', '%5c', '\\', '%00', '%0a', '%', '%zz'],
  ...[
    '%c3%28',
    '%252f',
    '\u0000',
    '\n',
    ' ',
    '@',
    '-',
    '?',
    '#',
    '&',
    '=',
    ';',
    ':',
    '~',
    'é',
    '\ud800',
  ],
  ...['.tgz', '/-/', '/-/at/https/', '/-/at/http/127.0.0.1/', 'dists/', 'by-hash/SHA256/', 'pool/'],
  ...['a', '1.0.0', '__proto__', 'constructor', 'evil.example', 'user:pass@evil.example/', '[::1]'],
];

function anyPath(fixture: ConformanceFixture): fc.Arbitrary<string> {
  const hostile = fc
    .array(fc.constantFrom(...hostilePieces), { maxLength: 12 })
    .map((pieces) => `/${pieces.join('')}`);
  const known = fc.constantFrom(...fixture.paths);
  return fc.oneof(
    known,
    hostile,
    fc.string({ unit: 'binary', maxLength: 64 }).map((text) => `/${text}`),
    fc.tuple(known, hostile).map(([path, tail]) => path + tail),
  );
}

/** Paths that try to reach a host by looking like an escape to an allowed one. */
function escapePath(allowed: readonly string[]): fc.Arbitrary<string> {
  const host = fc.constantFrom(...allowed, 'evil.example', '127.0.0.1', '[::1]', '169.254.169.254');
  const join = fc.constantFrom(
    '',
    '.',
    '@',
    ':',
    ':443',
    ':80',
    '\\',
    '%2f',
    '%40',
    '#',
    '?',
    '/',
    '//',
  );
  return fc
    .tuple(fc.constantFrom('http', 'https', 'HTTPS', 'file'), host, join, host)
    .map(([scheme, one, between, two]) => `/-/at/${scheme}/${one}${between}${two}/a/-/a-1.0.0.tgz`);
}

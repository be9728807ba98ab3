import { Buffer } from 'node:buffer';
import { tarballRewrite } from '../../src/ecosystems/npm-tarball-rewriter.ts';
import type { DocumentCase } from './rewriting.ts';

const versions = 15_000;

const rewrite = tarballRewrite({
  upstreamUrl: 'https://registry.example.com',
  publicBase: 'http://cache.example.com:8080/npm',
  hosts: [],
});

/** A packument of more than 10 MiB. */
export const npmDocument: DocumentCase = {
  name: 'npm packument',
  rewrite,
  document: packument,
};

function packument(): Buffer {
  const entries = Array.from({ length: versions }, (_, i) => {
    const version = `1.${Math.floor(i / 50)}.${i % 50}`;
    return [
      version,
      {
        name: 'example',
        version,
        description: 'A package that does not exist, with a "quoted" word and a back\\slash.',
        dependencies: { one: '^1.0.0', two: '~2.3.4', three: '>=3 <4' },
        devDependencies: { four: '4.5.6', five: '^5.0.0-beta.1' },
        scripts: { test: 'node --test', build: 'tsc && node "scripts/build.js"' },
        engines: { node: '>=20' },
        maintainers: [{ name: 'someone', email: 'someone@example.org' }],
        dist: {
          integrity: `sha512-${'A'.repeat(86)}==`,
          shasum: '0'.repeat(40),
          tarball: `https://registry.example.com/example/-/example-${version}.tgz`,
          fileCount: 12,
          unpackedSize: 345_678,
          signatures: [{ keyid: 'SHA256:0000', sig: 'B'.repeat(96) }],
        },
      },
    ] as const;
  });
  const document = {
    name: 'example',
    'dist-tags': { latest: entries.at(-1)?.[0] },
    versions: Object.fromEntries(entries),
    readme: 'x'.repeat(20_000),
  };
  return Buffer.from(JSON.stringify(document));
}

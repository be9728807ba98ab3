import { Buffer } from 'node:buffer';
import { tarballRewrite } from '../../src/ecosystems/npm-tarball-rewriter.ts';
import type { MicroCase } from './case.ts';

const chunkBytes = 64 * 1024;
const versions = 2_000;

const rewrite = tarballRewrite({
  upstreamUrl: 'https://registry.example.com',
  publicBase: 'http://cache.example.com:8080/npm',
  hosts: [],
});

const chunks = chunksOf(packument());

/** A packument of about 2 MB through the rewriter, as it comes from a socket. */
export const npmRewriteCase: MicroCase = {
  name: 'npm packument rewriting',
  times: 1,
  bytes: chunks.reduce((sum, chunk) => sum + chunk.length, 0),
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

function chunksOf(document: Buffer): readonly Buffer[] {
  const count = Math.ceil(document.length / chunkBytes);
  return Array.from({ length: count }, (_, i) =>
    document.subarray(i * chunkBytes, (i + 1) * chunkBytes),
  );
}

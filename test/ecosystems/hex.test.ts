import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hex } from '../../src/ecosystems/hex.ts';
import { describeEcosystem } from './ecosystem-conformance.ts';
import { digestIn } from './reading.ts';

const upstreamUrl = 'https://repo.hex.pm';
const document = { kind: 'index', freshness: 'rfc9111', vary: ['accept-encoding'], ownEtag: true };
const artifact = { kind: 'artifact' };
const plain = { kind: 'index', freshness: 'rfc9111' };
const table = [
  ['/names', document],
  ['/versions', document],
  ['/packages/nail', document],
  ['/repos/acme/packages/nail', document],
  ['/tarballs/nail-1.0.0.tar', artifact],
  ['/tarballs/nail_kit-1.0.0-rc.1+build.tar', artifact],
  ['/repos/acme/tarballs/nail-1.0.0.tar', artifact],
  ['/docs/nail-1.0.0.tar.gz', plain],
  ['/installs/hex-1.x.csv', plain],
  ['/tarballs/nail.tar', plain],
  ['/tarballs/../nail-1.0.0.tar', plain],
  ['/tarballs%2fnail-1.0.0.tar', plain],
  ['/', plain],
] as const;

describeEcosystem({ create: () => hex, upstreamUrl, paths: table.map(([path]) => path) });

function judge(path: string) {
  return hex.classify({ method: 'GET', url: upstreamUrl + path, path, headers: [] });
}

it.each(table)('hex judges %s', (path, expected) => {
  expect(judge(path)).toMatchObject(expected);
});

/** A field of protobuf that has a length. */
function field(number: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  const length =
    bytes.length < 128 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7];
  return Buffer.concat([Buffer.from([number * 8 + 2, ...length]), bytes]);
}

const release = (version: string, outer: Buffer) =>
  field(1, Buffer.concat([field(1, version), field(2, Buffer.alloc(32, 9)), field(5, outer)]));
const payload = Buffer.concat([
  release('0.9.0', Buffer.alloc(32, 1)),
  release('1.0.0', Buffer.alloc(32, 2)),
  field(2, 'nail'),
]);
const signed = Buffer.concat([field(1, payload), field(2, Buffer.alloc(200, 3))]);

it('hex: a tarball has the outer checksum of its release, also below an organisation', () => {
  const answer = judge('/repos/acme/tarballs/nail-1.0.0.tar');
  expect(answer).toMatchObject({
    digestFrom: { urls: [`${upstreamUrl}/repos/acme/packages/nail`] },
  });
  const expected = { algorithm: 'sha256', hex: '02'.repeat(32) };
  expect(digestIn(answer, gzipSync(signed))).toEqual(expected);
  expect(digestIn(answer, signed)).toEqual(expected);
  expect(digestIn(judge('/tarballs/nail-3.0.0.tar'), gzipSync(signed))).toBeUndefined();
});

it('hex: what is no package’s file, or far too large a one, gives no digest', () => {
  const answer = judge('/tarballs/nail-1.0.0.tar');
  for (const bytes of [gzipSync(signed).subarray(0, 40), gzipSync(Buffer.alloc(9 * 2 ** 20))]) {
    expect(digestIn(answer, bytes, 1000)).toBeUndefined();
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(digestIn(answer, bytes)).toBeUndefined();
    }),
  );
});

import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import {
  type Digest,
  digestAlgorithm,
  digestAlgorithms,
  digestFromHex,
  digestsFromIntegrity,
  strongestDigest,
} from '../../src/core/digest.ts';

const of = (algorithm: Digest['algorithm'], text = 'a'): Digest => ({
  algorithm,
  hex: createHash(algorithm).update(text).digest('hex'),
});
const integrity = ({ algorithm, hex }: Digest): string =>
  `${algorithm}-${Buffer.from(hex, 'hex').toString('base64')}`;

it.each(digestAlgorithms)('reads %s in hexadecimal and in base64', (algorithm) => {
  const digest = of(algorithm);
  expect(digestFromHex(algorithm, digest.hex.toUpperCase())).toEqual(digest);
  expect(digestFromHex(algorithm, digest.hex.slice(1))).toBeUndefined();
  expect(digestFromHex(algorithm, `g${digest.hex.slice(1)}`)).toBeUndefined();
  expect(digestsFromIntegrity(integrity(digest))).toEqual([digest]);
});

it('leaves out of an integrity text what is unknown or malformed', () => {
  const known = of('sha512');
  const text = `sha3-AAAA  ${integrity(known)}?option=x sha256-AAAA sha1 - sha1-!!!!`;
  expect(digestsFromIntegrity(text)).toEqual([known]);
  expect(digestsFromIntegrity('')).toEqual([]);
});

it('knows algorithms by their usual spellings', () => {
  expect(['SHA-256', 'sha256', 'Sha-512', 'MD5'].map(digestAlgorithm)).toEqual([
    'sha256',
    'sha256',
    'sha512',
    'md5',
  ]);
  expect(digestAlgorithm('blake2b')).toBeUndefined();
  expect(digestAlgorithm('__proto__')).toBeUndefined();
});

it('holds a body to the strongest digest, and to none where two contradict each other', () => {
  expect(strongestDigest([of('sha1'), of('sha512'), of('md5')])).toEqual(of('sha512'));
  expect(strongestDigest([of('sha256'), of('sha256')])).toEqual(of('sha256'));
  expect(strongestDigest([of('sha1'), of('sha256', 'a'), of('sha256', 'b')])).toBeUndefined();
  expect(strongestDigest([])).toBeUndefined();
});

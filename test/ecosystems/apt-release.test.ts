import { describe, expect, it } from 'vitest';
import type { Pin } from '../../src/core/classification.ts';
import { releasesNaming } from '../../src/ecosystems/apt-release.ts';

const root = 'http://deb.example.com/debian';
const suite = `${root}/dists/stable`;
const index = `${suite}/main/binary-amd64/Packages.xz`;
const hex = 'ab'.repeat(32);
const long = 'cd'.repeat(64);

function pinOf(lines: readonly string[], url = index, release = `${suite}/InRelease`) {
  const finder = releasesNaming(url)?.find(release);
  // In pieces that end anywhere.
  for (const piece of lines.join('\n').match(/[\s\S]{1,7}/g) ?? [])
    finder?.push(Buffer.from(piece));
  return finder?.pin();
}

const sha256: Pin = {
  digest: { algorithm: 'sha256', hex },
  size: 12,
  url: `${suite}/main/binary-amd64/by-hash/SHA256/${hex}`,
  places: [index],
};

describe('what a Release file says of an index', () => {
  it('is its SHA-256 and its size, with where else it may be', () => {
    const lines = ['Origin: x', 'SHA256:', ` ${hex} 12 main/binary-amd64/Packages.xz`, ''];
    expect(pinOf(lines)).toEqual(sha256);
    const places = [sha256.url, index];
    expect(pinOf(['Acquire-By-Hash: yes', ...lines])).toEqual({ ...sha256, places });
    expect(pinOf([...lines, 'Acquire-By-Hash: yes'])).toEqual({ ...sha256, places });
  });

  it('is taken from no list that can be forged, and the first choice is SHA-256', () => {
    const name = 'main/binary-amd64/Packages.xz';
    const weak = [
      'MD5Sum:',
      ` ${'1'.repeat(32)} 12 ${name}`,
      'SHA1:',
      ` ${'2'.repeat(40)} 12 ${name}`,
    ];
    expect(pinOf(weak)).toBeUndefined();
    const strong = ['SHA512:', ` ${long} 12 ${name}`];
    expect(pinOf([...weak, ...strong])?.digest).toEqual({ algorithm: 'sha512', hex: long });
    expect(pinOf([...strong, 'SHA256:', ` ${hex} 12 ${name}`])).toEqual(sha256);
  });

  it.each([
    [['SHA256:', ` ${hex} 12 main/binary-amd64/Packages`]],
    [['SHA256:', ` ${hex} 12 other/main/binary-amd64/Packages.xz`]],
    [['SHA256:', ` ${hex.slice(2)} 12 main/binary-amd64/Packages.xz`]],
    [['SHA256:', ` ${hex} many main/binary-amd64/Packages.xz`]],
    [['SHA256:', `${hex} 12 main/binary-amd64/Packages.xz`]],
    [[` ${hex} 12 main/binary-amd64/Packages.xz`]],
    [['<html>', 'nothing of the kind']],
  ])('is nothing in %j', (lines) => {
    expect(pinOf(lines)).toBeUndefined();
  });

  it('is found through a signature, a dot before the name, and a name that is encoded', () => {
    const signed = ['-----BEGIN PGP SIGNED MESSAGE-----', 'Hash: SHA512', '', 'SHA256:'];
    const end = ['-----BEGIN PGP SIGNATURE-----', 'abc', '-----END PGP SIGNATURE-----'];
    const url = `${root}/flat/Packages`;
    const flat = pinOf([...signed, ` ${hex} 12 ./Packages`, ...end], url, `${root}/flat/InRelease`);
    expect(flat?.url).toBe(`${root}/flat/by-hash/SHA256/${hex}`);
    const icons = `${suite}/main/dep11/icons-64x64%402.tar.gz`;
    expect(pinOf(['SHA256:', ` ${hex} 1 main/dep11/icons-64x64@2.tar.gz`], icons)?.size).toBe(1);
  });
});

it('an index is looked for in the Release files from its suite down to its own folder', () => {
  expect(releasesNaming(`${root}/dists/stable/updates/main/Sources`)?.urls).toEqual([
    `${suite}/InRelease`,
    `${suite}/Release`,
    `${suite}/updates/InRelease`,
    `${suite}/updates/Release`,
    `${suite}/updates/main/InRelease`,
    `${suite}/updates/main/Release`,
  ]);
  expect(releasesNaming(`${suite}/InRelease`)).toBeUndefined();
  expect(releasesNaming(`${root}/flat/Release`)).toBeUndefined();
  expect(releasesNaming(`${suite}/main/binary-amd64/Release`)?.urls).toContain(
    `${suite}/InRelease`,
  );
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Classification } from '../../src/core/classification.ts';
import { createApt } from '../../src/ecosystems/apt.ts';
import type { Ecosystem } from '../../src/ecosystems/ecosystem.ts';
import { pacman } from '../../src/ecosystems/pacman.ts';
import { RecordReader } from '../../src/ecosystems/record-reader.ts';
import { rpm } from '../../src/ecosystems/rpm.ts';
import { tar } from '../support/tar.ts';

const apt = createApt({ hosts: [] });
const hex = (digit: string) => digit.repeat(64);

function judged(ecosystem: Ecosystem, url: string): Classification {
  return ecosystem.classify({ method: 'GET', url, path: new URL(url).pathname, headers: [] });
}

function listOf(ecosystem: Ecosystem, url: string) {
  const answer = judged(ecosystem, url);
  return answer.kind === 'passthrough' ? undefined : answer.lists;
}

/** What the document at this URL says, given in pieces of `size` bytes. */
function told(
  ecosystem: Ecosystem,
  url: string,
  document: string | Uint8Array,
  size: number,
): [string, string][] {
  const list = listOf(ecosystem, url);
  if (!list) throw new Error('no list');
  const files: [string, string][] = [];
  const lister = list.create((name, sha256) => files.push([name, sha256]));
  const bytes = Buffer.from(document as string);
  for (let at = 0; at < bytes.length; at += size) lister.push(bytes.subarray(at, at + size));
  lister.end();
  return files;
}

const sizes = [1, 7, 600, 100_000];

describe('a Packages index', () => {
  const stanza = (name: string, digest: string) =>
    `Package: ${name}\nDescription: says\n Filename: nothing\nFilename: pool/main/${name}_1_all.deb\nSize: 7\nMD5sum: 00\nSHA256: ${digest}\n`;
  const document = [
    stanza('nail', hex('a')),
    'Package: broken\nFilename: pool/main/broken_1_all.deb\n',
    stanza('glue', hex('b')),
  ].join('\n');

  it.each(sizes)('names files with their SHA-256, in pieces of %i bytes', (size) => {
    const url = 'http://deb.test/debian/dists/stable/main/binary-amd64/Packages.gz';
    expect(told(apt, url, document, size)).toEqual([
      ['pool/main/nail_1_all.deb', hex('a')],
      ['pool/main/glue_1_all.deb', hex('b')],
    ]);
  });

  it('is the same list in each compression and under its digest, and no other index is one', () => {
    const folder = 'http://deb.test/debian/dists/stable/main/binary-amd64';
    const id = 'stable/main/binary-amd64';
    for (const name of ['Packages', 'Packages.xz', `by-hash/SHA256/${hex('c')}`]) {
      const expected = { id, root: 'http://deb.test/debian/' };
      expect(listOf(apt, `${folder}/${name}`)).toMatchObject(expected);
    }
    for (const other of ['Packages.bz2', 'Release', '../i18n/Translation-en.xz']) {
      expect(listOf(apt, new URL(`${folder}/${other}`).href)).toBeUndefined();
    }
  });

  it('may name what is in a pool up to three folders below its root', () => {
    expect(judged(apt, 'http://deb.test/a/debian/pool/main/n/nail_1_all.deb')).toEqual({
      kind: 'artifact',
      listedBelow: ['http://deb.test/a/debian/', 'http://deb.test/a/', 'http://deb.test/'],
    });
    expect(judged(apt, 'http://deb.test/debian/pool/main/n/nail_1.dsc')).toEqual({
      kind: 'artifact',
    });
  });
});

describe('a primary.xml', () => {
  const element = (href: string, checksum: string, more = '') =>
    `<package type="rpm"><name>n</name><checksum ${checksum}</checksum><location ${more}href="${href}"/><format></format></package>`;
  const sha256 = (digit: string) => `type="sha256" pkgid="YES">${hex(digit)}`;
  const document = [
    '<metadata packages="4">',
    element('Packages/n/nail-1-1.noarch.rpm', sha256('a')),
    element('weak-1-1.noarch.rpm', 'type="sha" pkgid="YES">aa'),
    element('elsewhere-1-1.noarch.rpm', sha256('c'), 'xml:base="http://x.test/" '),
    element('a&amp;b-1-1.noarch.rpm', sha256('b')),
    '</metadata>',
  ].join('\n');

  it.each(sizes)('names files with their SHA-256, in pieces of %i bytes', (size) => {
    const url = `http://rpm.test/os/repodata/${hex('9')}-primary.xml.zst`;
    expect(listOf(rpm, url)).toMatchObject({ id: 'primary', root: 'http://rpm.test/os/' });
    expect(told(rpm, url, document, size)).toEqual([
      ['Packages/n/nail-1-1.noarch.rpm', hex('a')],
      ['a&b-1-1.noarch.rpm', hex('b')],
    ]);
  });
});

describe('a database of pacman', () => {
  const desc = (file: string, digest: string) => `%FILENAME%\n${file}\n\n%SHA256SUM%\n${digest}\n`;
  const document = tar({
    'nail-1-1/': '',
    'nail-1-1/desc': desc('nail-1-1-any.pkg.tar.zst', hex('a')),
    'nail-1-1/files': desc('wrong', hex('f')),
    'long-1-1/desc': `${desc('long-1-1-any.pkg.tar.zst', hex('b'))}%DESC%\n${'x'.repeat(2000)}\n`,
    'empty-1-1/desc': '',
    'last-1-1/desc': desc('last-1-1-any.pkg.tar.zst', hex('c')),
  });
  const url = 'http://arch.test/core/os/x86_64/core.db';
  const files = [
    ['nail-1-1-any.pkg.tar.zst', hex('a')],
    ['long-1-1-any.pkg.tar.zst', hex('b')],
    ['last-1-1-any.pkg.tar.zst', hex('c')],
  ];

  it.each(sizes)('names files with their SHA-256, in pieces of %i bytes', (size) => {
    expect(listOf(pacman, url)).toMatchObject({
      id: 'core',
      root: 'http://arch.test/core/os/x86_64/',
    });
    expect(told(pacman, url, document, size)).toEqual(files);
  });

  it('says nothing more where it is cut off, or no archive', () => {
    expect(told(pacman, url, document.subarray(0, 1700), 512)).toEqual(files.slice(0, 1));
    expect(told(pacman, url, Buffer.alloc(5000, 'no archive'), 512)).toEqual([]);
  });
});

describe('records', () => {
  it('come as they are, in whatever pieces, without those that are too long', () => {
    const records = fc.array(fc.string({ unit: fc.constantFrom('a', '\n', 'b'), maxLength: 12 }));
    fc.assert(
      fc.property(records, fc.integer({ min: 1, max: 9 }), (parts, size) => {
        const document = parts.join('--');
        const read: string[] = [];
        const reader = new RecordReader('--', 8, (record) => read.push(record.toString()));
        const bytes = Buffer.from(document);
        for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
        reader.end();
        const expected = document.split('--').filter((record) => record.length <= 8);
        if (document.endsWith('--') || document === '') expected.pop();
        expect(read).toEqual(expected);
      }),
    );
  });
});

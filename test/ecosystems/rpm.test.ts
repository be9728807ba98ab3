import { describe, expect, it } from 'vitest';
import type { ClassifyRequest } from '../../src/core/classification.ts';
import { rpm } from '../../src/ecosystems/rpm.ts';
import { RepomdFinder } from '../../src/ecosystems/rpm-repomd.ts';
import { describeEcosystem } from './ecosystem-conformance.ts';

const upstreamUrl = 'https://dl.fedoraproject.org/pub/x/os';
const repomd = `${upstreamUrl}/repodata/repomd.xml`;
const hex = 'ab'.repeat(32);

const validated = { kind: 'index', freshness: 'validate' };
const plain = { kind: 'index', freshness: 'rfc9111' };
const unique = { kind: 'artifact', digestFrom: { urls: [repomd], find: expect.any(Function) } };
const pinned = { ...validated, pinnedBy: { urls: [repomd], find: expect.any(Function) } };
const lists = { id: 'primary', root: `${upstreamUrl}/`, create: expect.any(Function) };
/** A package of the repository with this URL. */
const listed = (root: string) => ({
  kind: 'artifact',
  listedBelow: expect.arrayContaining([`${root}/`]),
});
const table = [
  ['/Packages/n/nail-1.0-1.fc42.x86_64.rpm', listed(upstreamUrl)],
  ['/nail-libs-2:1.0~rc1-1.el9_4.noarch.rpm', listed(upstreamUrl)],
  ['/drpms/nail-1.0-1_1.0-2.x86_64.drpm', { kind: 'artifact' }],
  ['/repodata/repomd.xml', { kind: 'index', freshness: 'explicit', names: true }],
  ['/repodata/repomd.xml.asc', { ...validated, fits: repomd }],
  ['/repodata/repomd.xml.key', validated],
  [`/repodata/${hex}-primary.xml.zst`, { ...unique, lists }],
  [`/repodata/${hex}-filelists.xml.zst`, unique],
  ['/repodata/primary.xml.gz', { ...pinned, lists }],
  ['/repodata/comps.xml', pinned],
  ['/latest.rpm', plain],
  ['/metalink?repo=fedora-42&arch=x86_64', plain],
  ['/repodata/repomd.xml?x=1', plain],
  ['/repodata/../primary.xml.gz', plain],
  ['/repodata/', plain],
] as const;

describeEcosystem({ create: () => rpm, upstreamUrl, paths: table.map(([path]) => path) });

function get(path: string): ClassifyRequest {
  return { method: 'GET', url: upstreamUrl + path, path, headers: [] };
}

it.each(table)('rpm judges %s', (path, expected) => {
  expect(rpm.classify(get(path))).toEqual(expected);
});

it.each(table.slice(0, 8))('rpm knows %s on the forward proxy', (path) => {
  expect(rpm.recognises?.(get(path))).toBe(true);
});

it.each(table.slice(8).map(([path]) => path))('rpm is not sure of %s', (path) => {
  expect(rpm.recognises?.(get(path))).toBe(path.startsWith('/repodata/repomd.xml'));
});

it('rpm takes `no-cache` of dnf for a habit, and of everybody else for a wish', () => {
  const asked = (agent: string) => {
    const headers = ['User-Agent', agent, 'Cache-Control', 'no-cache', 'Pragma', 'no-cache'];
    return rpm.classify({ ...get('/repodata/repomd.xml'), headers });
  };
  const agent = 'libdnf (Fedora Linux 42; server; Linux.x86_64)';
  expect(asked(agent)).toMatchObject({ requestHeaders: ['User-Agent', agent] });
  expect(asked('curl/8.0')).not.toHaveProperty('requestHeaders');
});

function entry(checksum: string, href: string, more = ''): string {
  return `<data type="primary">${checksum}<open-checksum type="sha256">${'0'.repeat(64)}</open-checksum>
    <location href="${href}"/>${more}</data>`;
}

function finderFor(file: string, document: string): RepomdFinder {
  const finder = new RepomdFinder(`${upstreamUrl}/repodata/${file}`);
  for (const piece of document.match(/[\s\S]{1,9}/g) ?? []) finder.push(Buffer.from(piece));
  return finder;
}

describe('what a repomd.xml says of a file', () => {
  const sha256 = `<checksum type="sha256">${hex}</checksum>`;
  const digest = { algorithm: 'sha256', hex };

  it('is its checksum and its size', () => {
    const other = entry(`<checksum type="sha256">${'1'.repeat(64)}</checksum>`, 'repodata/x.xml');
    const document = `<repomd>${other}${entry(sha256, 'repodata/primary.xml.gz', '<size>7</size>')}</repomd>`;
    const finder = finderFor('primary.xml.gz', document);
    expect(finder.digest()).toEqual(digest);
    expect(finder.pin()).toEqual({
      digest,
      size: 7,
      url: `${upstreamUrl}/repodata/${hex}-primary.xml.gz`,
      places: [`${upstreamUrl}/repodata/primary.xml.gz`],
    });
    expect(finderFor('filelists.xml.gz', document).pin()).toBeUndefined();
  });

  it('may go without a size; an old checksum is good enough for what does not change', () => {
    const document = `<repomd>${entry(sha256, 'repodata/a.xml')}</repomd>`;
    expect(finderFor('a.xml', document).pin()?.size).toBeUndefined();
    const old = entry(`<checksum type="sha">${'2'.repeat(40)}</checksum>`, 'repodata/a.xml');
    expect(finderFor('a.xml', old).pin()).toBeUndefined();
    const sha1 = old.replace('"sha"', '"sha1"');
    expect(finderFor('a.xml', sha1).pin()).toBeUndefined();
    expect(finderFor('a.xml', sha1).digest()?.algorithm).toBe('sha1');
  });

  it.each([
    ['', 'nothing'],
    [entry(`<checksum type="crc32">${hex}</checksum>`, 'repodata/a.xml'), 'an unknown algorithm'],
    [entry(`<checksum type="sha256">${hex}00</checksum>`, 'repodata/a.xml'), 'a wrong length'],
    [entry(sha256, '../repodata/a.xml'), 'another place'],
  ])('is nothing in %s', (document) => {
    expect(finderFor('a.xml', document).pin()).toBeUndefined();
  });

  it('is not looked for in what is longer than any', () => {
    const finder = new RepomdFinder(`${upstreamUrl}/repodata/a.xml`);
    expect(finder.push(Buffer.alloc(1024 * 1024))).toBe(false);
    expect(finder.push(Buffer.from(entry(sha256, 'repodata/a.xml')))).toBe(true);
    expect(finder.pin()).toBeUndefined();
  });
});

import { expect, it } from 'vitest';
import { pacman } from '../../src/ecosystems/pacman.ts';
import { describeEcosystem } from './ecosystem-conformance.ts';

const upstreamUrl = 'https://geo.mirror.pkgbuild.com';
const artifact = { kind: 'artifact' };
const listedIn = (folder: string) => ({ ...artifact, listedBelow: [upstreamUrl + folder] });
const database = { kind: 'index', freshness: 'explicit', names: true };
const listing = (folder: string, id: string) => ({
  ...database,
  lists: { id, root: upstreamUrl + folder, create: expect.any(Function) },
});
const signatureOf = (path: string) => ({
  kind: 'index',
  freshness: 'validate',
  fits: upstreamUrl + path,
});
const plain = { kind: 'index', freshness: 'rfc9111' };
/** Path, what it is, and whether it is pacman's whatever host it is on. */
const table = [
  ['/core/os/x86_64/zlib-1:1.3.1-2-x86_64.pkg.tar.zst', listedIn('/core/os/x86_64/'), true],
  ['/core/os/x86_64/zlib-1:1.3.1-2-x86_64.pkg.tar.zst.sig', artifact, true],
  ['/extra/os/x86_64/nail-git-r12.abcdef-1.1-any.pkg.tar.xz', listedIn('/extra/os/x86_64/'), true],
  ['/core/os/x86_64/core.db', listing('/core/os/x86_64/', 'core'), true],
  ['/core/os/x86_64/core.db.sig', signatureOf('/core/os/x86_64/core.db'), true],
  ['/extra/os/x86_64/extra.files', database, true],
  ['/own/own.db', listing('/own/', 'own'), false],
  ['/own/own.db.tar.gz', listing('/own/', 'own'), false],
  ['/lastupdate', plain, false],
  ['/core/os/x86_64/', plain, false],
  ['/core/../zlib-1.3-1-x86_64.pkg.tar.zst', plain, false],
] as const;

describeEcosystem({ create: () => pacman, upstreamUrl, paths: table.map(([path]) => path) });

it.each(table)('pacman judges %s', (path, expected, isKnown) => {
  const request = { method: 'GET', url: upstreamUrl + path, path, headers: [] };
  expect(pacman.classify(request)).toEqual(expected);
  expect(pacman.recognises?.(request)).toBe(isKnown);
});

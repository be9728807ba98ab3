import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { npmSite } from '../../loadtest/fixtures/npm-site.ts';
import { rate } from '../../loadtest/load/rate.ts';
import { Ledger } from '../../loadtest/origin/ledger.ts';
import { type Documents, publish } from '../../loadtest/origin/send-document.ts';
import { createOrigin } from '../../loadtest/origin/server.ts';

const lockfile = {
  packages: {
    '': { version: '1.0.0' },
    'node_modules/left': { version: '1.2.3' },
    'node_modules/@scope/right': { version: '2.0.0' },
    'node_modules/other/node_modules/left': { version: '1.0.1' },
    'node_modules/alias': { name: 'left', version: '1.2.3' },
    'packages/own': { version: '1.0.0' },
  },
};

async function origin(): Promise<{ base: string; documents: Documents; ledger: Ledger }> {
  const documents: Documents = new Map();
  const ledger = new Ledger();
  const server = createOrigin(ledger, {}, documents).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { base, documents, ledger };
}

test('a lockfile becomes a registry of its packages, each version once', () => {
  const { documents, tarballs } = npmSite(lockfile, 'http://registry.test');
  expect([...documents.keys()]).toEqual(['/npm/left', '/npm/@scope/right']);
  expect(tarballs).toEqual([
    '/npm/left/-/left-1.2.3.tgz',
    '/npm/left/-/left-1.0.1.tgz',
    '/npm/@scope/right/-/right-2.0.0.tgz',
  ]);
});

test('a tarball is where its document says, with the digest that it says', async () => {
  const { base, documents } = await origin();
  const site = npmSite(lockfile, base);
  publish(documents, site.documents);
  const document = (await (await fetch(`${base}/npm/@scope%2fright`)).json()) as {
    readonly versions: Record<string, { dist: { tarball: string; integrity: string } }>;
  };
  const { tarball = '', integrity } = document.versions['2.0.0']?.dist ?? {};
  const body = Buffer.from(await (await fetch(tarball)).arrayBuffer());
  const digest = createHash('sha512').update(body).digest('base64');
  expect(integrity).toBe(`sha512-${digest}`);
});

test('documents and tarballs are checked like any other body, and counted', async () => {
  const { base, documents, ledger } = await origin();
  const site = npmSite(lockfile, base);
  publish(documents, site.documents);
  const shots = [
    ...[...site.documents].map(([path, document]) => ({ path, document })),
    ...site.tarballs.map((path) => ({ path })),
  ];
  expect(await rate({ base, shots, connections: 2 })).toMatchObject({ requests: 5, problems: [] });
  expect(ledger.take(['/npm/left'])).toMatchObject([{ requests: 1 }]);
  const wrong = [{ path: '/npm/left', document: 'something else' }];
  expect((await rate({ base, shots: wrong, connections: 1 })).problems).toEqual([
    expect.stringContaining('wrong bytes'),
  ]);
});

import { createHash } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { temporaryFolder, testGateway } from '../support/gateway.ts';
import { type HttpOrigin, httpOrigin } from '../support/http-origin.ts';
import { tar } from '../support/tar.ts';

const good = Buffer.from('a package');
const wrong = Buffer.from('a packagE');
const sha256 = (body: Uint8Array) => createHash('sha256').update(body).digest('hex');

interface Repository {
  readonly ecosystem: 'apt' | 'rpm' | 'pacman';
  /** Where the list is, and the package. */
  readonly list: string;
  readonly file: string;
  /** Publishes a list that gives the package this body's digest. */
  publish(origin: HttpOrigin, body: Uint8Array): void;
}

const packages = '/dists/stable/main/binary-amd64/Packages.gz';
const deb = 'pool/main/n/nail/nail_1%2b1_all.deb';

const apt: Repository = {
  ecosystem: 'apt',
  list: packages,
  file: `/${deb}`,
  publish(origin, body) {
    const filename = decodeURIComponent(deb);
    const index = gzipSync(`Package: nail\nFilename: ${filename}\nSHA256: ${sha256(body)}\n`);
    const name = packages.replace('/dists/stable/', '');
    const release = `Suite: stable\nSHA256:\n ${sha256(index)} ${index.length} ${name}\n`;
    origin.serve('/dists/stable/InRelease', { body: release });
    origin.serve(packages, { body: index });
  },
};

const rpm: Repository = {
  ecosystem: 'rpm',
  list: '/repodata/primary.xml.zst',
  file: '/Packages/n/nail-1-1.noarch.rpm',
  publish(origin, body) {
    const checksum = `<checksum type="sha256" pkgid="YES">${sha256(body)}</checksum>`;
    const location = '<location href="Packages/n/nail-1-1.noarch.rpm"/>';
    const primary = zstdCompressSync(`<metadata><package>${checksum}${location}</package>`);
    origin.serve('/repodata/primary.xml.zst', { body: primary });
  },
};

const pacman: Repository = {
  ecosystem: 'pacman',
  list: '/core.db',
  file: '/nail-1-1-any.pkg.tar.zst',
  publish(origin, body) {
    const desc = `%FILENAME%\nnail-1-1-any.pkg.tar.zst\n\n%SHA256SUM%\n${sha256(body)}\n`;
    origin.serve('/core.db', { body: gzipSync(tar({ 'nail-1-1/desc': desc })) });
  },
};

async function setup(repository: Repository, data?: string) {
  const { ecosystem, file, list } = repository;
  const origin = await httpOrigin();
  repository.publish(origin, good);
  const start = async (folder: string) => {
    const gateway = await testGateway({
      mounts: [{ path: '/os', ecosystem, url: origin.url }],
      config: { data: folder },
    });
    return { gateway, get: (path: string) => gateway.get(`/os${path}`) };
  };
  return {
    origin,
    start,
    ...(await start(data ?? (await temporaryFolder()))),
    serve: (body: Uint8Array) => origin.serve(file, { body }),
    asked: () => origin.requests.filter(({ target }) => target === file).length,
    file,
    list,
  };
}

describe.each([apt, rpm, pacman])('a package of $ecosystem', (repository) => {
  test('that is not what the list says is refused and not stored, and the right one is', async () => {
    const { gateway, get, serve, asked, file, list } = await setup(repository);
    expect((await get(list)).status).toBe(200);
    serve(wrong);
    const refused = await get(file);
    expect(refused.status).toBe(502);
    expect(refused.field('proxy-status')).toContain('digest_mismatch');
    expect(gateway.log()).toContainEqual(
      expect.objectContaining({
        msg: 'a body without the digest it must have was refused',
        expected: { algorithm: 'sha256', hex: sha256(good) },
      }),
    );
    serve(good);
    expect((await get(file)).body).toEqual(good);
    const count = asked();
    expect((await get(file)).field('cache-status')).toContain('hit');
    expect(asked()).toBe(count);
  });

  test('is served as without a list where none is stored, or the list is broken', async () => {
    const { origin, get, serve, file, list } = await setup(repository);
    serve(wrong);
    expect((await get(file)).body).toEqual(wrong);
    const other = await setup(repository);
    other.origin.serve(list, { body: Buffer.concat([gzipSync('x').subarray(0, 12), wrong]) });
    await other.get(list);
    other.serve(wrong);
    expect((await other.get(file)).body).toEqual(wrong);
    expect(origin.requests).toHaveLength(1);
  });
});

test('a package that was stored before its list came is fetched anew with no-cache, whatever its validators say', async () => {
  const { origin, gateway, get, file, list } = await setup(rpm);
  const lastModified = 'Thu, 01 Jan 2026 00:00:00 GMT';
  origin.serve(file, { body: wrong, lastModified });
  await get(file);
  await get(list);
  origin.serve(file, { body: good, lastModified });
  const headers = { 'Cache-Control': 'no-cache' };
  expect((await gateway.get(`/os${file}`, { headers })).body).toEqual(good);
  expect((await get(file)).body).toEqual(good);
});

describe('a table of digests', () => {
  test('is that of the newest version of its list', async () => {
    const { origin, get, serve, file, list } = await setup(pacman);
    await get(list);
    pacman.publish(origin, wrong);
    await get(list);
    serve(good);
    expect((await get(file)).status).toBe(502);
    serve(wrong);
    expect((await get(file)).body).toEqual(wrong);
  });

  test('says nothing of a file for which two lists disagree, and holds where one alone has it', async () => {
    const { origin, get, serve, file } = await setup(apt);
    await get(packages);
    const other = packages.replace('stable', 'sid');
    const entry = (body: Uint8Array) =>
      gzipSync(
        `Package: nail\nFilename: ${decodeURIComponent(deb)}\nSHA256: ${sha256(body)}\n\nPackage: glue\nFilename: pool/main/glue_1_all.deb\nSHA256: ${sha256(good)}\n`,
      );
    origin.serve(other, { body: entry(wrong) });
    await get(other);
    serve(Buffer.from('neither'));
    expect((await get(file)).status).toBe(200);
    origin.serve('/pool/main/glue_1_all.deb', { body: wrong });
    expect((await get('/pool/main/glue_1_all.deb')).status).toBe(502);
  });

  test('is found again after a restart', async () => {
    const data = await temporaryFolder();
    const { gateway, get, start, serve, list, file } = await setup(rpm, data);
    await get(list);
    // It waits for the table that is being made.
    expect((await get('/Packages/n/none-1-1.noarch.rpm')).status).toBe(404);
    await gateway.close();
    const again = await start(data);
    serve(wrong);
    expect((await again.get(file)).status).toBe(502);
    serve(good);
    expect((await again.get(file)).body).toEqual(good);
  });
});

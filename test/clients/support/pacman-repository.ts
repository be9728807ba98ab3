import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../../support/gateway.ts';
import type { HttpOrigin } from '../../support/http-origin.ts';
import { run } from './run.ts';

const folderOf = '/nails/os/x86_64';

/** Publishes a repository `nails` with the package `nail` in this version, in place of what was there. */
export async function publishNails(origin: HttpOrigin, version: string): Promise<void> {
  const folder = await temporaryFolder();
  const info = [
    'pkgname = nail',
    'pkgbase = nail',
    `pkgver = ${version}-1`,
    'pkgdesc = nothing',
    'builddate = 1767225600',
    'packager = Nobody',
    'size = 1',
    'arch = any',
  ];
  await writeFile(join(folder, '.PKGINFO'), `${info.join('\n')}\n`);
  const file = `nail-${version}-1-any.pkg.tar.gz`;
  await run('tar', ['-C', folder, '-czf', join(folder, file), '.PKGINFO']);
  const body = await readFile(join(folder, file));
  const entry = `nail-${version}-1`;
  await mkdir(join(folder, entry));
  const facts = {
    FILENAME: file,
    NAME: 'nail',
    VERSION: `${version}-1`,
    CSIZE: String(body.length),
    ISIZE: '1',
    SHA256SUM: createHash('sha256').update(body).digest('hex'),
    ARCH: 'any',
  };
  const lines = Object.entries(facts).map(([name, value]) => `%${name}%\n${value}\n`);
  await writeFile(join(folder, entry, 'desc'), `${lines.join('\n')}\n`);
  await run('tar', ['-C', folder, '-czf', join(folder, 'nails.db'), entry]);
  origin.serve(`${folderOf}/${file}`, { body });
  const database = await readFile(join(folder, 'nails.db'));
  const headers = { 'Cache-Control': 'max-age=3600' };
  origin.serve(`${folderOf}/nails.db`, { body: database, headers });
}

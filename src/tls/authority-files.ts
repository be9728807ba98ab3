import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Authority, AuthorityPems } from './authority.ts';

/** Where the authority of a gateway is, below its data. */
export interface AuthorityPlaces {
  readonly folder: string;
  /** What clients are given. */
  readonly certificate: string;
  readonly key: string;
  readonly cross: string;
}

/** The places in a data folder. */
export function authorityPlaces(data: string): AuthorityPlaces {
  const folder = join(data, 'ca');
  return {
    folder,
    certificate: join(folder, 'ca.pem'),
    key: join(folder, 'ca.key'),
    cross: join(folder, 'ca-cross.pem'),
  };
}

/**
 * The authority in a data folder, undefined where there is none. Rejects where it cannot be read, is
 * not one, or others than its owner may read the key.
 */
export async function readAuthority(data: string): Promise<Authority | undefined> {
  const places = authorityPlaces(data);
  const certificate = await readIfThere(places.certificate);
  const key = await readIfThere(places.key);
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined || key === undefined) {
    throw new TypeError(`${places.folder} has one of ca.pem and ca.key without the other`);
  }
  const { mode } = await stat(places.key);
  if ((mode & 0o077) !== 0) {
    throw new TypeError(`others may read ${places.key}: take that from them with chmod 600`);
  }
  const cross = await readIfThere(places.cross);
  // Who has none does not need the library for certificates in memory.
  const { Authority } = await import('./authority.ts');
  return Authority.open({ certificate, key, ...(cross !== undefined && { cross }) });
}

/** Writes an authority in place of what is there, the key readable for its owner alone. */
export async function writeAuthority(data: string, pems: AuthorityPems): Promise<void> {
  const places = authorityPlaces(data);
  await mkdir(places.folder, { recursive: true, mode: 0o700 });
  await chmod(places.folder, 0o700);
  // Whole files beside the old ones first, so that no moment has half of each.
  await writeNew(`${places.key}.new`, pems.key, 0o600);
  await writeNew(`${places.certificate}.new`, pems.certificate, 0o644);
  if (pems.cross === undefined) await rm(places.cross, { force: true });
  else {
    await writeNew(`${places.cross}.new`, pems.cross, 0o644);
    await rename(`${places.cross}.new`, places.cross);
  }
  await rename(`${places.key}.new`, places.key);
  await rename(`${places.certificate}.new`, places.certificate);
}

async function writeNew(path: string, text: string, mode: number): Promise<void> {
  await rm(path, { force: true });
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

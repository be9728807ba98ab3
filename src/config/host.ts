import { readdir, readFile } from 'node:fs/promises';
import registryUrl, { defaultUrl } from 'registry-url';
import type { HostFiles, NpmRegistry } from './host-defaults.ts';

/** The files of this host. */
export const hostFiles: HostFiles = {
  read: (path) => unlessAbsent(readFile(path, 'utf8')),
  list: (folder) => unlessAbsent(readdir(folder)),
};

/** The npm configuration of this host: `npm_config_registry`, else the nearest `.npmrc`. */
export const hostNpmRegistry: NpmRegistry = {
  canonical: defaultUrl,
  configured: () => registryUrl(),
};

async function unlessAbsent<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

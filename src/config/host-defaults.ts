import { canonicalUrl, originOf, pathOf } from '../core/canonical-url.ts';
import { oneLineUris, stanzaUris } from './apt-sources.ts';
import { mountPath, upstreamUrl } from './url-types.ts';

/** What the configuration of this host's own package managers suggests. */
export interface HostDefaults {
  /** The registry that npm is configured to use; not checked. */
  readonly npmRegistry: string;
  /** The public registry that npm is built for. */
  readonly npmCanonicalRegistry: string;
  /** Archives that apt uses, each path once; `url` without a trailing slash. */
  readonly aptArchives: readonly { readonly path: string; readonly url: string }[];
  /** Hosts of all http(s) archives that apt uses, with a port where it is not the default one. */
  readonly aptHosts: readonly string[];
  readonly warnings: readonly string[];
}

/** How the host is asked; a file or folder that does not exist is undefined. */
export interface HostFiles {
  read(path: string): Promise<string | undefined>;
  list(folder: string): Promise<readonly string[] | undefined>;
}

/** npm's configuration, as the library reads it. */
export interface NpmRegistry {
  readonly canonical: string;
  configured(): string;
}

/** Asks npm's and apt's configuration; what cannot be read becomes a warning. */
export async function readHostDefaults(files: HostFiles, npm: NpmRegistry): Promise<HostDefaults> {
  const warnings: string[] = [];
  let npmRegistry = npm.canonical;
  try {
    npmRegistry = npm.configured();
  } catch (error) {
    warnings.push(`the npm configuration of this host cannot be read: ${reasonOf(error)}`);
  }
  let uris: readonly string[] = [];
  try {
    uris = await readAptUris(files);
  } catch (error) {
    warnings.push(`the apt sources of this host cannot be read: ${reasonOf(error)}`);
  }
  const npmCanonicalRegistry = npm.canonical.replace(/\/+$/, '');
  return { npmRegistry, npmCanonicalRegistry, ...aptDefaults(uris), warnings };
}

async function readAptUris(files: HostFiles): Promise<string[]> {
  const uris = oneLineUris((await files.read('/etc/apt/sources.list')) ?? '');
  const folder = '/etc/apt/sources.list.d';
  for (const name of [...((await files.list(folder)) ?? [])].sort()) {
    // Other names are ignored by apt too: sources.list(5).
    const kind = /^[\w.-]+\.(list|sources)$/.exec(name)?.[1];
    if (kind === undefined) continue;
    const text = (await files.read(`${folder}/${name}`)) ?? '';
    uris.push(...(kind === 'list' ? oneLineUris(text) : stanzaUris(text)));
  }
  return uris;
}

function aptDefaults(uris: readonly string[]): Pick<HostDefaults, 'aptArchives' | 'aptHosts'> {
  const archives = new Map<string, string>();
  const hosts = new Set<string>();
  for (const uri of uris) {
    // Other schemes (cdrom:, file:, mirror+…) and unexpanded variables are not ours to serve.
    const canonical = /^https?:/i.test(uri) && !uri.includes('$(') ? canonicalUrl(uri) : undefined;
    if (canonical === undefined) continue;
    hosts.add(new URL(originOf(canonical)).host);
    const url = upstreamUrl.schema.safeParse(uri);
    const path = mountPath.schema.safeParse(pathOf(canonical).replace(/\/+$/, ''));
    if (!url.success || !path.success || archives.has(path.data)) continue;
    archives.set(path.data, url.data);
  }
  return {
    aptArchives: [...archives].map(([path, url]) => ({ path, url })),
    aptHosts: [...hosts],
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

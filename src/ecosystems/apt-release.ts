import { pathOf } from '../core/canonical-url.ts';
import type { Pin, PinFinder, PinSource } from '../core/classification.ts';
import { type Digest, digestFromHex } from '../core/digest.ts';
import { LineReader } from './line-reader.ts';

/** A longer line is no line of a Release file. */
const maxLineBytes = 4096;
/** A suite's name may have several segments; an index is looked for in this many folders at most. */
const maxFolders = 4;

const releaseFile = /\/(?:InRelease|Release|Release\.gpg)$/;
/** Which lists are read, the one that is preferred first: older ones can be forged. */
const lists = ['sha256', 'sha512'] as const;

/**
 * The Release files that may name an index of a suite, or of a flat repository: those of the folders
 * from `dists/<suite>` down to its own. Undefined for a Release file at the top, which nobody names.
 */
export function releasesNaming(url: string): PinSource | undefined {
  const urls = foldersAbove(url)
    .filter((folder) => !releaseFile.test(url) || url.lastIndexOf('/') >= folder.length)
    // What lies there is named by its digest.
    .filter((folder) => !/\/by-hash\/[^/]*\/$/.test(folder))
    .slice(0, maxFolders)
    .flatMap((folder) => [`${folder}InRelease`, `${folder}Release`]);
  if (urls.length === 0) return undefined;
  return { urls, find: (release) => new ReleaseFinder(release, url) };
}

/** URLs of folders, with their slash at the end, the suite's first. */
function foldersAbove(url: string): string[] {
  const path = pathOf(url);
  const origin = url.slice(0, url.length - path.length);
  const segments = path.split('/');
  const folder = (depth: number): string => `${origin}${segments.slice(0, depth).join('/')}/`;
  const own = segments.length - 1;
  const dists = segments.indexOf('dists', 1);
  if (dists === -1) return [folder(own)];
  const folders: string[] = [];
  for (let depth = dists + 2; depth <= own; depth++) folders.push(folder(depth));
  return folders;
}

/** Finds an index in a (signed) Release file: Debian's wiki, "DebianRepository/Format". */
class ReleaseFinder implements PinFinder {
  readonly #lines: LineReader;
  readonly #url: string;
  readonly #name: string;
  readonly #found = new Map<string, { readonly hex: string; readonly size: number }>();
  #list = '';
  #byHash = false;

  constructor(release: string, url: string) {
    this.#url = url;
    this.#name = decoded(url.slice(release.lastIndexOf('/') + 1));
    this.#lines = new LineReader(maxLineBytes, (line) => this.#read(line));
  }

  push(chunk: Uint8Array): boolean {
    return this.#lines.push(chunk);
  }

  pin(): Pin | undefined {
    this.#lines.end();
    for (const list of lists) {
      const { hex = '', size } = this.#found.get(list) ?? {};
      const digest = digestFromHex(list, hex);
      if (digest && size !== undefined) return this.#pinned(digest, size);
    }
    return undefined;
  }

  #pinned(digest: Digest, size: number): Pin {
    const folder = this.#url.slice(0, this.#url.lastIndexOf('/') + 1);
    const url = `${folder}by-hash/${digest.algorithm.toUpperCase()}/${digest.hex}`;
    return { digest, size, url, places: this.#byHash ? [url, this.#url] : [this.#url] };
  }

  #read(line: string): boolean {
    const [, hex = '', size = '', name = ''] = /^\s+([0-9a-f]+)\s+(\d+)\s+(\S+)/i.exec(line) ?? [];
    if (name !== '') {
      if (name.replace(/^\.\//, '') === this.#name) {
        this.#found.set(this.#list, { hex, size: Number(size) });
      }
      return false;
    }
    const [, field = '', value = ''] = /^([A-Za-z0-9-]+):\s*(\S*)/.exec(line) ?? [];
    this.#list = field.toLowerCase();
    if (this.#list === 'acquire-by-hash') this.#byHash = value.toLowerCase() === 'yes';
    return false;
  }
}

/** apt encodes what some servers take for something else; names of indexes are ASCII. */
function decoded(name: string): string {
  return name.replace(/%([2-7][0-9a-f])/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
}

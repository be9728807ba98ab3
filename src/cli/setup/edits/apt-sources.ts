import { bare, splitLines } from './lines.ts';

/** A mount, and the archives that it stands for. */
export interface ArchiveTarget {
  /** Without a trailing slash. */
  readonly upstreams: readonly string[];
  readonly url: string;
}

/**
 * The text of a file of sources (`deb822`: its style) with archives led to mounts; and whether one
 * leads to a mount now. Options, comments and blanks stay. sources.list(5)
 */
export function withArchives(
  text: string,
  deb822: boolean,
  targets: readonly ArchiveTarget[],
): { readonly content: string; readonly here: boolean } {
  let here = false;
  const lead = (uri: string): string => {
    const plain = uri.replace(/\/+$/, '');
    if (targets.some(({ url }) => url === plain)) here = true;
    const target = targets.find(({ upstreams }) => upstreams.includes(plain));
    if (target === undefined) return uri;
    here = true;
    return `${target.url}${uri.slice(plain.length)}`;
  };
  let field = '';
  const lines = splitLines(text).map((line) => {
    if (/^\s*#/.test(line)) return line;
    if (!deb822) {
      return line.replace(
        /^(\s*deb(?:-src)?\s+(?:\[[^\]]*\]\s*)?)(\S+)/,
        (_, head: string, uri: string) => `${head}${lead(uri)}`,
      );
    }
    const name = /^([^\s:]+):/.exec(line)?.[1];
    if (name !== undefined) field = name.toLowerCase();
    else if (bare(line).trim() === '') field = '';
    if (field !== 'uris') return line;
    const from = name === undefined ? 0 : name.length + 1;
    return line.slice(0, from) + line.slice(from).replace(/\S+/g, lead);
  });
  return { content: lines.join(''), here };
}

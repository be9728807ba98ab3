/** A package's name at the start of a path, as some client spells it, and what follows. */
const packagePath = /^\/(@[^/%]+(?:\/|%2f))?([^@/%?-][^/%?]*)(?=$|[/?])([^?]*)/i;
const distTags = /^\/-\/package(\/[^?]+)\/dist-tags(?:$|[/?])/;

/**
 * Paths of the documents (and the tarball) that another method than GET changes at `path`, besides the
 * path itself: publishing, deprecating and unpublishing write to `/name` and `/name/-rev/…`, tags are
 * moved at `/-/package/name/dist-tags/…`. Of each in every spelling that is in use.
 */
export function changedPaths(path: string): readonly string[] {
  const tagged = distTags.exec(path)?.[1];
  const [, scope = '', name = '', rest = ''] = packagePath.exec(tagged ?? path) ?? [];
  if (name === '') return [];
  const [, file, isRevision] = /^(?:\/-\/([^/]+\.tgz))?(\/-rev\/[^/]+)?$/i.exec(rest) ?? [];
  if (rest !== '' && isRevision === undefined) return [];
  const own = scope.replace(/(?:\/|%2f)$/i, '');
  const spellings = own === '' ? [''] : ['%2f', '%2F', '/'].map((slash) => own + slash);
  return spellings.flatMap((start) => [
    `/${start}${name}`,
    `/${start}${name}/latest`,
    ...(file === undefined ? [] : [`/${start}${name}/-/${file}`]),
  ]);
}

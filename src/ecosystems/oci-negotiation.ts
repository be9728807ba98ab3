/** What manifests are, the newest forms first; of an index each platform's manifest is asked for by its digest. */
const known = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

/**
 * `Accept` in one order, each member once, so that clients that take the same get the same variant.
 * With weights, parameters or quotes the client's own words stand.
 */
export function oneSpelling(value: string | undefined): string | undefined {
  if (value === undefined || /[;"]/.test(value)) return undefined;
  return [...new Set(membersOf(value))].sort().join(', ');
}

/** `Accept` for a manifest by its digest: all known types and what the client takes besides. */
export function manifestTypes(value: string | undefined): string {
  const own = /["]/.test(value ?? '') ? [] : membersOf(value ?? '');
  return [...new Set([...known, ...own])].join(', ');
}

function membersOf(value: string): string[] {
  return value
    .split(',')
    .map((member) => member.trim().toLowerCase())
    .filter((member) => member !== '');
}

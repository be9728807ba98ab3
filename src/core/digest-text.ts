import { type Digest, digestFromHex } from './digest.ts';

/** The algorithms that the OCI image specification registers, section "Digests". */
const registered = ['sha256', 'sha512'] as const;

/**
 * The digest that a text of the form `algorithm:hex` says, in a registered algorithm and in lower
 * case; undefined for anything else. OCI image specification, "Digests".
 */
export function digestFromText(text: string): Digest | undefined {
  const [, name = '', hex = ''] = /^([a-z0-9]+):([0-9a-f]+)$/.exec(text) ?? [];
  const algorithm = registered.find((each) => each === name);
  return algorithm && digestFromHex(algorithm, hex);
}

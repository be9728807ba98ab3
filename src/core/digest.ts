export const digestAlgorithms = ['md5', 'sha1', 'sha256', 'sha512'] as const;
export type DigestAlgorithm = (typeof digestAlgorithms)[number];

/** A digest that a body must have; `hex` in lower case. */
export interface Digest {
  readonly algorithm: DigestAlgorithm;
  readonly hex: string;
}

const hexLength: Record<DigestAlgorithm, number> = { md5: 32, sha1: 40, sha256: 64, sha512: 128 };

/** The digest, or undefined where the text is not one in hexadecimal of that algorithm's length. */
export function digestFromHex(algorithm: DigestAlgorithm, text: string): Digest | undefined {
  const hex = text.toLowerCase();
  return hex.length === hexLength[algorithm] && /^[0-9a-f]+$/.test(hex)
    ? { algorithm, hex }
    : undefined;
}

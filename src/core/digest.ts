/** From the weakest to the strongest. */
export const digestAlgorithms = ['md5', 'sha1', 'sha256', 'sha384', 'sha512'] as const;
export type DigestAlgorithm = (typeof digestAlgorithms)[number];

/** A digest that a body must have; `hex` in lower case. */
export interface Digest {
  readonly algorithm: DigestAlgorithm;
  readonly hex: string;
}

const hexLength: Record<DigestAlgorithm, number> = {
  md5: 32,
  sha1: 40,
  sha256: 64,
  sha384: 96,
  sha512: 128,
};

/** The digest, or undefined where the text is not one in hexadecimal of that algorithm's length. */
export function digestFromHex(algorithm: DigestAlgorithm, text: string): Digest | undefined {
  const hex = text.toLowerCase();
  return hex.length === hexLength[algorithm] && /^[0-9a-f]+$/.test(hex)
    ? { algorithm, hex }
    : undefined;
}

/** The algorithm that goes by this name, in any case and with or without a dash; undefined: unknown. */
export function digestAlgorithm(name: string): DigestAlgorithm | undefined {
  const plain = name.toLowerCase().replace('-', '');
  return digestAlgorithms.find((algorithm) => algorithm === plain);
}

/**
 * The digests of an integrity text (`sha512-<base64> sha1-<base64>`); what is in an unknown algorithm
 * or malformed is left out. W3C Subresource Integrity, section 3.5.
 */
export function digestsFromIntegrity(text: string): readonly Digest[] {
  return text.split(/\s+/).flatMap((member) => {
    const [, name = '', base64 = ''] =
      /^([a-z0-9]+)-([A-Za-z0-9+/]+={0,2})(?:\?.*)?$/.exec(member) ?? [];
    const algorithm = digestAlgorithm(name);
    const digest =
      algorithm && digestFromHex(algorithm, Buffer.from(base64, 'base64').toString('hex'));
    return digest ? [digest] : [];
  });
}

/**
 * The one to hold a body to when several are published: that of the strongest algorithm. Undefined
 * without any, and where the strongest has two values: it cannot be told which one is meant.
 */
export function strongestDigest(digests: readonly Digest[]): Digest | undefined {
  const algorithm = digestAlgorithms.findLast((each) =>
    digests.some((digest) => digest.algorithm === each),
  );
  const [first, ...others] = digests.filter((digest) => digest.algorithm === algorithm);
  return others.every(({ hex }) => hex === first?.hex) ? first : undefined;
}

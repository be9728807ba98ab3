import { createHash, X509Certificate } from 'node:crypto';

/** What Java takes for the password of a keystore when nobody says one. */
export const keystorePassword = 'changeit';

const magic = 0xfeedfeed;
const version = 2;
const trustedCertificate = 2;

/**
 * A Java keystore (JKS) of trusted certificates (DER), of the time `at` in milliseconds. The format is
 * that of OpenJDK's `sun.security.provider.JavaKeyStore`: every Java reads it, whichever type is its
 * own, and `keytool` is not needed to make it.
 */
export function javaKeystore(certificates: readonly Uint8Array[], at: number): Uint8Array {
  const parts: Uint8Array[] = [integer(magic), integer(version), integer(certificates.length)];
  const time = Buffer.alloc(8);
  time.writeBigInt64BE(BigInt(at));
  for (const [index, certificate] of certificates.entries()) {
    parts.push(integer(trustedCertificate), shortText(`millrace-${index}`), time);
    parts.push(shortText('X.509'), integer(certificate.length), certificate);
  }
  const body = Buffer.concat(parts);
  // The seal of the format: the password, a phrase, the body.
  const seal = createHash('sha1')
    .update(Buffer.from(keystorePassword, 'utf16le').swap16())
    .update('Mighty Aphrodite')
    .update(body)
    .digest();
  return Buffer.concat([body, seal]);
}

/** The certificates (PEM) in what `javaKeystore` made; none in anything else. */
export function certificatesInKeystore(keystore: Uint8Array): string[] {
  const bytes = Buffer.from(keystore);
  if (bytes.length < 12 || bytes.readUInt32BE(0) !== magic) return [];
  const found: string[] = [];
  let at = 12;
  for (let count = bytes.readUInt32BE(8); count > 0 && at + 6 < bytes.length; count -= 1) {
    // Kind, alias, time, the certificate's type.
    at += 4;
    at += 2 + bytes.readUInt16BE(at) + 8;
    at += 2 + bytes.readUInt16BE(at);
    const length = bytes.readUInt32BE(at);
    found.push(new X509Certificate(bytes.subarray(at + 4, at + 4 + length)).toString());
    at += 4 + length;
  }
  return found;
}

function integer(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function shortText(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

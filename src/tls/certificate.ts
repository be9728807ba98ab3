import { createHash, randomBytes, webcrypto } from 'node:crypto';
import { BitString, Integer, OctetString, Utf8String } from 'asn1js';
import {
  AltName,
  AttributeTypeAndValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  Extension,
  ExtKeyUsage,
  type NameConstraints,
  type RelativeDistinguishedNames,
  Time,
} from 'pkijs';
import { alternativeName } from './names.ts';

/** ECDSA on P-256: what every client of today takes, and quick to sign with. */
const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;

/** Object identifiers: RFC 5280 section 4.2.1, appendix A. */
const oid = {
  commonName: '2.5.4.3',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
};

export type KeyPair = webcrypto.CryptoKeyPair;
export type Key = webcrypto.CryptoKey;

/** From when to when, in milliseconds since the epoch. */
export interface Validity {
  readonly from: number;
  readonly to: number;
}

/** A new key pair. */
export function generateKeys(): Promise<KeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<KeyPair>;
}

/** PEM (PKCS #8) of a private key. */
export async function exportKey(key: Key): Promise<string> {
  return pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', key));
}

/** The private key of a PKCS #8 document, to sign with. */
export function importKey(der: Uint8Array): Promise<Key> {
  return webcrypto.subtle.importKey('pkcs8', Uint8Array.from(der), algorithm, false, ['sign']);
}

/** Who signs: its certificate's names and its key. */
export interface Issuer {
  readonly certificate: Certificate;
  readonly key: Key;
}

interface AuthoritySpec {
  readonly commonName: string;
  readonly publicKey: Key;
  readonly validity: Validity;
  /** Certificates that may stand between it and a host's. */
  readonly pathLength: number;
  readonly constraints: NameConstraints | undefined;
}

/** An authority's certificate: signed by another one, or with its own key. */
export async function authorityCertificate(
  spec: AuthoritySpec,
  signer: Issuer | { readonly key: Key },
): Promise<Certificate> {
  const certificate = await draft(spec.commonName, spec.publicKey, spec.validity);
  const constraints = new BasicConstraints({ cA: true, pathLenConstraint: spec.pathLength });
  const issuer = 'certificate' in signer ? signer.certificate : certificate;
  certificate.extensions = [
    extension(oid.basicConstraints, true, constraints),
    // Bits 5 and 6: keyCertSign and cRLSign. RFC 5280 section 4.2.1.3.
    extension(oid.keyUsage, true, keyUsage(0b0000_0110, 1)),
    extension(oid.subjectKeyIdentifier, false, keyIdentifier(certificate)),
    extension(oid.authorityKeyIdentifier, false, authorityIdentifier(issuer)),
    ...(spec.constraints === undefined
      ? []
      : [extension(oid.nameConstraints, true, spec.constraints)]),
  ];
  return sign(certificate, issuer.subject, signer.key);
}

interface HostSpec {
  /** At least one; IPv6 without brackets. */
  readonly hosts: readonly string[];
  readonly publicKey: Key;
  readonly validity: Validity;
}

/** A server's certificate for its hosts. */
export async function hostCertificate(spec: HostSpec, issuer: Issuer): Promise<Certificate> {
  const certificate = await draft('Millrace', spec.publicKey, spec.validity);
  const names = new AltName({ altNames: spec.hosts.map(alternativeName) });
  certificate.extensions = [
    extension(oid.basicConstraints, true, new BasicConstraints({ cA: false })),
    // Bit 0: digitalSignature.
    extension(oid.keyUsage, true, keyUsage(0b1000_0000, 7)),
    extension(oid.extKeyUsage, false, new ExtKeyUsage({ keyPurposes: [oid.serverAuth] })),
    extension(oid.subjectAltName, false, names),
    extension(oid.subjectKeyIdentifier, false, keyIdentifier(certificate)),
    extension(oid.authorityKeyIdentifier, false, authorityIdentifier(issuer.certificate)),
  ];
  return sign(certificate, issuer.certificate.subject, issuer.key);
}

/** PEM of a certificate. */
export function certificatePem(certificate: Certificate): string {
  return pem('CERTIFICATE', certificate.toSchema(true).toBER(false));
}

/** The value of a certificate's name constraints, where it has some. */
export function constraintsOf({ extensions = [] }: Certificate): ArrayBuffer | undefined {
  const found = extensions.find(({ extnID }) => extnID === oid.nameConstraints);
  return found && Uint8Array.from(new Uint8Array(found.extnValue.getValue())).buffer;
}

async function draft(commonName: string, publicKey: Key, { from, to }: Validity) {
  const certificate = new Certificate();
  certificate.version = 2;
  certificate.serialNumber = new Integer({ valueHex: serial() });
  certificate.subject.typesAndValues = [
    new AttributeTypeAndValue({
      type: oid.commonName,
      value: new Utf8String({ value: commonName }),
    }),
  ];
  certificate.notBefore = new Time({ value: wholeSecond(from) });
  certificate.notAfter = new Time({ value: wholeSecond(to) });
  await certificate.subjectPublicKeyInfo.importKey(publicKey);
  return certificate;
}

async function sign(
  certificate: Certificate,
  issuer: RelativeDistinguishedNames,
  key: Key,
): Promise<Certificate> {
  certificate.issuer = issuer;
  await certificate.sign(key, 'SHA-256');
  return certificate;
}

/** RFC 5280 section 4.1.2.2: positive, at most 20 octets; CAs use 64 random bits or more. */
function serial(): ArrayBuffer {
  const bytes = Uint8Array.from(randomBytes(16));
  // The first bit is the sign, and a first octet of zero would not be minimal.
  bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x3f);
  return bytes.buffer;
}

/** RFC 5280 section 4.2.1.2, method 1: of the key's bits. */
function keyIdentifier({ subjectPublicKeyInfo }: Certificate): OctetString {
  const bits = new Uint8Array(subjectPublicKeyInfo.subjectPublicKey.valueBlock.valueHexView);
  const hash = createHash('sha1').update(bits).digest();
  return new OctetString({ valueHex: Uint8Array.from(hash).buffer });
}

function authorityIdentifier(issuer: Certificate): AuthorityKeyIdentifier {
  return new AuthorityKeyIdentifier({ keyIdentifier: keyIdentifier(issuer) });
}

function keyUsage(bits: number, unusedBits: number): BitString {
  return new BitString({ valueHex: Uint8Array.of(bits).buffer, unusedBits });
}

function extension(extnID: string, critical: boolean, value: Encoded): Extension {
  const der = 'toSchema' in value ? value.toSchema().toBER(false) : value.toBER(false);
  return new Extension({ extnID, critical, extnValue: der });
}

type Encoded =
  | { toSchema(): { toBER(sizeOnly: boolean): ArrayBuffer } }
  | { toBER(sizeOnly: boolean): ArrayBuffer };

function wholeSecond(ms: number): Date {
  return new Date(Math.floor(ms / 1000) * 1000);
}

function pem(label: string, der: ArrayBuffer): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .replace(/(.{64})(?=.)/g, '$1\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

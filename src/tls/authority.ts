import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { Certificate } from 'pkijs';
import type { HostPattern } from '../core/network.ts';
import {
  authorityCertificate,
  certificatePem,
  constraintsOf,
  exportKey,
  generateKeys,
  hostCertificate,
  type Issuer,
  importKey,
  type KeyPair,
} from './certificate.ts';
import { constraintsTo, isPermitted, type Permitted, readConstraints } from './names.ts';

const hour = 3_600_000;
const day = 24 * hour;
/** Clocks of clients differ. */
const backdated = day;
const authorityLife = 3_650 * day;
const hostLife = 14 * day;

/** An authority as it is kept, all PEM. */
export interface AuthorityPems {
  readonly certificate: string;
  /** PKCS #8. */
  readonly key: string;
  /** The same authority as the one before it vouches for it: for clients that trust only that. */
  readonly cross?: string;
}

export interface NewAuthority {
  /** The only hosts it may ever sign for, with all names below them; undefined: any. */
  readonly permitted: readonly HostPattern[] | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The one that it follows. */
  readonly previous?: Authority;
}

/** Makes a new authority; a previous one vouches for it until its own end. */
export async function createAuthority(options: NewAuthority): Promise<AuthorityPems> {
  const { permitted, now, previous } = options;
  const keys = await generateKeys();
  const spec = {
    // A name of its own: of two with the same name, clients may try the wrong one.
    commonName: `Millrace CA ${randomBytes(4).toString('hex')}`,
    publicKey: keys.publicKey,
    validity: { from: now - backdated, to: now + authorityLife },
    constraints: permitted && constraintsTo(permitted),
  };
  // One place on the way down is for the authority that follows.
  const own = await authorityCertificate({ ...spec, pathLength: 1 }, { key: keys.privateKey });
  const key = await exportKey(keys.privateKey);
  const cross = await previous?.vouchFor(spec);
  return { certificate: certificatePem(own), key, ...(cross !== undefined && { cross }) };
}

/** A certificate to serve with, PEM. */
export interface HostCredentials {
  /** With what leads to the authority. */
  readonly chain: string;
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
}

/** A local certificate authority. */
export class Authority {
  /** PEM, as clients are to be given it. */
  readonly certificate: string;
  readonly subject: string;
  /** SHA-256, hexadecimal pairs between colons. */
  readonly fingerprint: string;
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
  /** What it may sign for; undefined: any host. */
  readonly permitted: Permitted | undefined;
  readonly #issuer: Issuer;
  readonly #cross: string;
  /** One for all hosts: each costs a signature and no more. */
  readonly #hostKeys: Promise<{ keys: KeyPair; pem: string }>;

  private constructor(pems: AuthorityPems, parsed: X509Certificate, issuer: Issuer) {
    this.certificate = pems.certificate;
    this.subject = parsed.subject.replaceAll('\n', ', ');
    this.fingerprint = parsed.fingerprint256;
    this.notAfter = parsed.validToDate.getTime();
    const constraints = constraintsOf(issuer.certificate);
    this.permitted = constraints && readConstraints(constraints);
    this.#issuer = issuer;
    this.#cross = pems.cross ?? '';
    this.#hostKeys = generateKeys().then(async (keys) => ({
      keys,
      pem: await exportKey(keys.privateKey),
    }));
  }

  /** Throws a TypeError where certificate and key are none, or do not belong together. */
  static async open(pems: AuthorityPems): Promise<Authority> {
    const parsed = new X509Certificate(pems.certificate);
    const key = createPrivateKey(pems.key);
    if (!parsed.ca || !parsed.checkPrivateKey(key)) {
      throw new TypeError('the certificate is not an authority with this key');
    }
    const der = key.export({ format: 'der', type: 'pkcs8' });
    return new Authority(pems, parsed, {
      certificate: Certificate.fromBER(Uint8Array.from(parsed.raw)),
      key: await importKey(der),
    });
  }

  /** Whether clients that trust it take its signature for a host; IPv6 without brackets. */
  permits(host: string): boolean {
    return this.permitted === undefined || isPermitted(this.permitted, host);
  }

  /** Signs for the hosts, at least one. Short-lived, and never beyond the authority's own end. */
  async certify(hosts: readonly string[], now: number): Promise<HostCredentials> {
    const { keys, pem } = await this.#hostKeys;
    const validity = { from: now - backdated, to: Math.min(now + hostLife, this.notAfter) };
    const spec = { hosts, publicKey: keys.publicKey, validity };
    const certificate = await hostCertificate(spec, this.#issuer);
    return {
      chain: certificatePem(certificate) + this.#cross,
      key: pem,
      notAfter: validity.to,
    };
  }

  /** The certificate of a successor, signed by this one. */
  async vouchFor(
    spec: Omit<Parameters<typeof authorityCertificate>[0], 'pathLength'>,
  ): Promise<string> {
    const validity = { ...spec.validity, to: Math.min(spec.validity.to, this.notAfter) };
    return certificatePem(
      await authorityCertificate({ ...spec, validity, pathLength: 0 }, this.#issuer),
    );
  }
}

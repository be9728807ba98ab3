import { X509Certificate } from 'node:crypto';
import { getCACertificates } from 'node:tls';
import { javaKeystore } from './keystore.ts';
import type { Trust } from './tool.ts';

/** What tools are to trust besides the gateway's authority: what this system and Node trust. */
export function trustWith(authority: string): Trust {
  const bundle = (): string => publicCertificates().map(ended).join('') + ended(authority);
  return {
    authority: ended(authority),
    bundle,
    keystore: () =>
      javaKeystore(
        certificatesIn(bundle()).map((pem) => new X509Certificate(pem).raw),
        Date.parse(new X509Certificate(authority).validFrom),
      ),
  };
}

/** The certificates of a PEM text, one each. */
export function certificatesIn(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
}

/** The authorities that this system trusts, PEM, each once. */
export function publicCertificates(): readonly string[] {
  const system = getCACertificates('system').map((pem) => pem.trim());
  const own = system.length > 0 ? system : getCACertificates('bundled').map((pem) => pem.trim());
  return [...new Set(own)];
}

function ended(pem: string): string {
  return `${pem.trim()}\n`;
}

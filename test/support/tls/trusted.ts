import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { onTestFinished } from 'vitest';
import { selfSigned } from './self-signed.ts';

/** Makes this process, and so gateways in it, trust the certificate of tests while the test runs. */
export function trustTestCertificate(): void {
  const before = getCACertificates('default');
  setDefaultCACertificates([...before, selfSigned.cert]);
  onTestFinished(() => setDefaultCACertificates(before));
}

import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmod, readdir, stat, writeFile } from 'node:fs/promises';
import { type AddressInfo, isIP } from 'node:net';
import { join } from 'node:path';
import { createServer, connect as tlsConnect } from 'node:tls';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { LookupCounter } from '../../src/core/cache-lookups.ts';
import { type HostPattern, parseHostPattern } from '../../src/core/network.ts';
import {
  Authority,
  type AuthorityPems,
  createAuthority,
  type HostCredentials,
} from '../../src/tls/authority.ts';
import { authorityPlaces, readAuthority, writeAuthority } from '../../src/tls/authority-files.ts';
import { HostCertificates } from '../../src/tls/host-certificates.ts';
import { temporaryFolder } from '../support/gateway.ts';

const day = 86_400_000;

function patterns(...texts: string[]): HostPattern[] {
  return texts.flatMap((text) => {
    const parsed = parseHostPattern(text);
    return parsed.ok ? [parsed.pattern] : [];
  });
}

async function authorityFor(...hosts: string[]): Promise<Authority> {
  return Authority.open(await createAuthority({ permitted: patterns(...hosts), now: Date.now() }));
}

/** What a client that trusts `ca` says to a server of this host: undefined, or why not. */
async function judged(
  authority: Authority,
  host: string,
  ca = authority.certificate,
): Promise<string | undefined> {
  const { chain, key } = await authority.certify([host], Date.now());
  const server = createServer({ cert: chain, key }, (socket) => socket.end());
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const name = isIP(host) === 0 ? { servername: host } : {};
  const client = tlsConnect({
    host: '127.0.0.1',
    port,
    ca,
    ...name,
    checkServerIdentity: () => undefined,
  });
  return new Promise((resolve) => {
    client.once('secureConnect', () => {
      const certificate = new X509Certificate(chain);
      const names = isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host);
      client.destroy();
      resolve(names === undefined ? 'no such name' : undefined);
    });
    client.once('error', ({ message }) => resolve(message));
  });
}

describe('an authority', () => {
  test.each([
    ['registry.test'],
    ['a.b.registry.test'],
    ['192.0.2.7'],
    ['2001:db8::1'],
    ['localhost'],
    ['127.0.0.1'],
    ['::1'],
  ])('certifies %s so that clients take it', async (host) => {
    const authority = await authorityFor('registry.test', '192.0.2.0/24', '2001:db8::/32');
    expect(authority.permits(host)).toBe(true);
    expect(await judged(authority, host)).toBeUndefined();
  });

  test.each([['example.com'], ['xregistry.test'], ['198.51.100.1'], ['2001:db9::1']])(
    'says that it may not certify %s, and clients hold it to that',
    async (host) => {
      const authority = await authorityFor('registry.test', '192.0.2.0/24', '2001:db8::/32');
      expect(authority.permits(host)).toBe(false);
      expect(await judged(authority, host)).toBe('permitted subtree violation');
    },
  );

  test('certifies every host when it was made without constraints', async () => {
    const authority = await Authority.open(
      await createAuthority({ permitted: undefined, now: Date.now() }),
    );
    expect(authority.permitted).toBeUndefined();
    expect(await judged(authority, 'example.com')).toBeUndefined();
  });

  test('is valid by the strict rules of OpenSSL, and so are the certificates of hosts', async () => {
    const folder = await temporaryFolder();
    const authority = await authorityFor('registry.test');
    const { chain } = await authority.certify(['registry.test'], Date.now());
    await writeFile(join(folder, 'ca.pem'), authority.certificate);
    await writeFile(join(folder, 'host.pem'), chain);
    const args = ['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname'];
    const files = ['registry.test', '-CAfile', join(folder, 'ca.pem'), join(folder, 'host.pem')];
    const { stdout } = await promisify(execFile)('openssl', [...args, ...files]);
    expect(stdout).toContain('host.pem: OK');
  });

  test('signs for a short time, from before now, and never beyond its own end', async () => {
    const authority = await authorityFor('registry.test');
    const now = Date.now();
    const read = async (at: number) =>
      new X509Certificate((await authority.certify(['registry.test'], at)).chain);
    const today = await read(now);
    expect(today.validFromDate.getTime()).toBeLessThan(now - day / 2);
    expect(today.validToDate.getTime()).toBeLessThan(now + 30 * day);
    const late = await read(authority.notAfter - day);
    expect(late.validToDate.getTime()).toBe(authority.notAfter);
  });

  test('a client that trusts the one before trusts its successor, and so do those of the new one', async () => {
    const before = await authorityFor('registry.test');
    const pems = await createAuthority({
      permitted: patterns('registry.test'),
      now: Date.now(),
      previous: before,
    });
    const after = await Authority.open(pems);
    expect(after.fingerprint).not.toBe(before.fingerprint);
    expect(await judged(after, 'registry.test')).toBeUndefined();
    expect(await judged(after, 'registry.test', before.certificate)).toBeUndefined();
    const stranger = await authorityFor('registry.test');
    expect(await judged(after, 'registry.test', stranger.certificate)).toBeDefined();
  });
});

describe('the files of an authority', () => {
  let pems: AuthorityPems;

  async function written(): Promise<string> {
    pems = await createAuthority({ permitted: [], now: Date.now() });
    const data = await temporaryFolder();
    await writeAuthority(data, pems);
    return data;
  }

  test('are read again, and the key is for its owner alone', async () => {
    const data = await written();
    const { folder, key } = authorityPlaces(data);
    expect((await readAuthority(data))?.certificate).toBe(pems.certificate);
    expect((await stat(key)).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await readdir(folder)).sort()).toEqual(['ca.key', 'ca.pem']);
  });

  test('are none where there are none', async () => {
    expect(await readAuthority(await temporaryFolder())).toBeUndefined();
  });

  test('are refused when others may read the key', async () => {
    const data = await written();
    await chmod(authorityPlaces(data).key, 0o644);
    await expect(readAuthority(data)).rejects.toThrow(/chmod 600/);
  });

  test('are refused when certificate and key do not belong together', async () => {
    const data = await written();
    const other = await createAuthority({ permitted: [], now: Date.now() });
    await writeFile(authorityPlaces(data).certificate, other.certificate);
    await expect(readAuthority(data)).rejects.toThrow(/with this key/);
  });
});

/** An object of its own for each certificate. */
const make = (credentials: HostCredentials) => ({ credentials });

describe('the certificates of hosts', () => {
  test('are made once for a host, and anew in the middle of their life', async () => {
    let now = Date.now();
    const authority = await authorityFor('registry.test');
    let made = 0;
    const certify = authority.certify.bind(authority);
    authority.certify = (...args) => {
      made += 1;
      return certify(...args);
    };
    const lookups = new LookupCounter('certificates');
    const certificates = new HostCertificates({ authority, make, now: () => now, lookups });
    const [first, second] = await Promise.all([
      certificates.for(['registry.test']),
      certificates.for(['registry.test']),
    ]);
    expect(second).toBe(first);
    now += 6 * day;
    expect(await certificates.for(['registry.test'])).toBe(first);
    now += 2 * day;
    expect(await certificates.for(['registry.test'])).not.toBe(first);
    expect(made).toBe(2);
    expect(lookups).toMatchObject({ hits: 2, misses: 2 });
  });

  test('are bounded in number', async () => {
    const authority = await authorityFor('registry.test');
    const certificates = new HostCertificates({
      authority,
      make,
      now: Date.now,
      max: 1,
      lookups: new LookupCounter('certificates'),
    });
    const first = await certificates.for(['a.registry.test']);
    await certificates.for(['b.registry.test']);
    expect(await certificates.for(['a.registry.test'])).not.toBe(first);
  });

  test('are refused when the authority has expired', async () => {
    const authority = await authorityFor('registry.test');
    const certificates = new HostCertificates({
      authority,
      make,
      now: () => authority.notAfter,
      lookups: new LookupCounter('certificates'),
    });
    await expect(certificates.for(['registry.test'])).rejects.toThrow(/ca rotate/);
  });
});

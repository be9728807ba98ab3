import { X509Certificate } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CliIo } from '../../src/cli/io.ts';
import { run } from '../../src/cli/program.ts';
import { readAuthority } from '../../src/tls/authority-files.ts';
import { temporaryFolder } from '../support/gateway.ts';
import { FakeProcess } from './support.ts';

/** Runs `millrace ca …` with its data in a folder. */
async function ca(data: string, args: string[], io: Partial<CliIo> = {}) {
  const process = new FakeProcess();
  const code = await run(['ca', ...args, '--data', data], process.io(io));
  return { code, stdout: process.stdout.text, stderr: process.stderr.text };
}

describe('millrace ca create', () => {
  test('makes an authority for the hosts of the configuration, its key for the owner alone', async () => {
    const data = await temporaryFolder();
    const { code, stdout } = await ca(data, ['create']);
    expect(code).toBe(0);
    expect(stdout).toContain('registry.test');
    expect(stdout).toContain('millrace ca install');
    const authority = await readAuthority(data);
    expect(authority?.permits('registry.test')).toBe(true);
    expect(authority?.permits('localhost')).toBe(true);
    expect(authority?.permits('example.com')).toBe(false);
    expect((await stat(join(data, 'ca', 'ca.key'))).mode & 0o777).toBe(0o600);
  });

  test('takes publicUrl, the names of the listener and the intercepted hosts in', async () => {
    const data = await temporaryFolder();
    const env = {
      MILLRACE_PUBLIC_URL: 'https://cache.example.com',
      MILLRACE_LISTEN_TLS_NAMES: 'cache.example.org',
      MILLRACE_FORWARD_PROXY_INTERCEPT: '*.example.net,192.0.2.0/24',
    };
    await ca(data, ['create'], { env });
    const authority = await readAuthority(data);
    const hosts = ['cache.example.com', 'cache.example.org', 'a.example.net', '192.0.2.9'];
    expect(hosts.filter((host) => authority?.permits(host) !== true)).toEqual([]);
    expect(authority?.permits('192.0.3.9')).toBe(false);
  });

  test('makes one for any host when it is told to', async () => {
    const data = await temporaryFolder();
    await ca(data, ['create', '--any-host']);
    expect((await readAuthority(data))?.permits('example.com')).toBe(true);
  });

  test('leaves one that is there alone', async () => {
    const data = await temporaryFolder();
    await ca(data, ['create']);
    const before = await readFile(join(data, 'ca', 'ca.key'), 'utf8');
    const { code, stderr } = await ca(data, ['create']);
    expect(code).toBe(1);
    expect(stderr).toContain('millrace ca rotate');
    expect(await readFile(join(data, 'ca', 'ca.key'), 'utf8')).toBe(before);
  });
});

test('millrace ca show says what it is, export gives the certificate and nothing else', async () => {
  const data = await temporaryFolder();
  await ca(data, ['create']);
  const exported = await ca(data, ['export']);
  const certificate = new X509Certificate(exported.stdout);
  expect(certificate.toString()).toBe(exported.stdout);
  const { stdout } = await ca(data, ['show']);
  expect(stdout).toContain(certificate.fingerprint256);
  expect(stdout).toContain('registry.test');
});

test.each([['show'], ['export'], ['rotate'], ['install']])(
  'millrace ca %s without an authority says how to make one',
  async (command) => {
    const data = await temporaryFolder();
    const root = await temporaryFolder();
    await mkdir(join(root, 'usr/local/share/ca-certificates'), { recursive: true });
    const { code, stdout, stderr } = await ca(data, [command], { root });
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain('millrace ca create');
  },
);

test('millrace ca rotate makes another one that the one before vouches for', async () => {
  const data = await temporaryFolder();
  await ca(data, ['create']);
  const before = new X509Certificate((await ca(data, ['export'])).stdout);
  const { code } = await ca(data, ['rotate']);
  expect(code).toBe(0);
  const after = new X509Certificate((await ca(data, ['export'])).stdout);
  expect(after.fingerprint256).not.toBe(before.fingerprint256);
  const cross = new X509Certificate(await readFile(join(data, 'ca', 'ca-cross.pem')));
  expect(cross.subject).toBe(after.subject);
  expect(cross.verify(before.publicKey)).toBe(true);
});

describe('millrace ca install', () => {
  test.each([
    ['Debian', 'usr/local/share/ca-certificates', 'millrace-ca.crt', 'update-ca-certificates'],
    ['Fedora', 'etc/pki/ca-trust/source/anchors', 'millrace-ca.pem', 'update-ca-trust extract'],
  ])(
    'puts it into the store of %s, and takes it out again',
    async (_system, folder, file, update) => {
      const data = await temporaryFolder();
      const root = await temporaryFolder();
      await mkdir(join(root, folder), { recursive: true });
      await writeFile(join(root, folder, 'other.crt'), 'of somebody else');
      const ran: string[] = [];
      const io = { root, run: async (...words: string[]) => void ran.push(words.join(' ')) };
      await ca(data, ['create']);
      expect((await ca(data, ['install'], io)).code).toBe(0);
      const exported = await ca(data, ['export']);
      expect(await readFile(join(root, folder, file), 'utf8')).toBe(exported.stdout);
      expect((await ca(data, ['install', '--undo'], io)).code).toBe(0);
      expect(await readdir(join(root, folder))).toEqual(['other.crt']);
      expect(ran).toEqual([update, update]);
      // A second time there is nothing to do.
      expect((await ca(data, ['install', '--undo'], io)).code).toBe(0);
      expect(ran).toHaveLength(2);
    },
  );

  test('says what else there is where no store is known', async () => {
    const data = await temporaryFolder();
    await ca(data, ['create']);
    const { code, stderr } = await ca(data, ['install'], { root: await temporaryFolder() });
    expect(code).toBe(1);
    expect(stderr).toContain('millrace ca export');
  });
});

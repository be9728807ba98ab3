import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../../support/gateway.ts';
import { attempt, run } from './run.ts';

/** An OpenPGP key of the running test. */
export interface SigningKey {
  /** The file of the public key. */
  readonly file: string;
  /** The text in an envelope of its signature. */
  clearSign(text: string): Promise<Uint8Array>;
}

export async function signingKey(): Promise<SigningKey> {
  const folder = await temporaryFolder();
  const home = join(folder, 'gnupg');
  await mkdir(home, { mode: 0o700 });
  const gpg = (...args: readonly string[]) =>
    run('gpg', ['--homedir', home, '--batch', '--quiet', '--yes', '--passphrase', '', ...args]);
  onTestFinished(async () => {
    await attempt('gpgconf', ['--homedir', home, '--kill', 'all']);
  });
  await gpg('--quick-generate-key', 'test@example.org', 'ed25519', 'sign', 'never');
  const file = join(folder, 'key.gpg');
  await gpg('--output', file, '--export');
  return {
    file,
    async clearSign(text) {
      const plain = join(folder, 'plain');
      await writeFile(plain, text);
      await gpg('--output', `${plain}.asc`, '--clear-sign', plain);
      return readFile(`${plain}.asc`);
    },
  };
}

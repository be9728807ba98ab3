import { spawnSync } from 'node:child_process';
import process from 'node:process';
import type { Peer } from './peers/peer.ts';

/** Installs what is missing, mostly by its name in Debian's archive; throws where that fails. */
export function installMissing(wanted: readonly Peer[]): void {
  const missing = wanted.filter((peer) => peer.version() === undefined);
  for (const peer of missing) peer.install?.();
  const packages = new Set(missing.flatMap((peer) => peer.package ?? []));
  if (packages.size === 0) return;
  const { status, error } = spawnSync(
    'apt-get',
    ['install', '--yes', '--no-install-recommends', ...packages],
    { stdio: 'inherit', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } },
  );
  if (status !== 0) {
    throw new Error(`apt-get could not install ${[...packages].join(', ')}`, { cause: error });
  }
}

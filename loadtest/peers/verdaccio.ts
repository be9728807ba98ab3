import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Peer } from './peer.ts';
import { freePort, startServer } from './server-process.ts';

const version = '6.10.4';
const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
/** Of no project: it is a peer, not a dependency. */
const folder = join(cache, 'millrace-loadtest', `verdaccio-${version}`);
const installed = join(folder, 'node_modules', 'verdaccio');

/** Verdaccio 6 in front of the registry, with its own storage on files. */
export const verdaccio: Peer = {
  name: 'verdaccio',
  version: () => {
    try {
      const manifest: unknown = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
      return String((manifest as { version?: unknown }).version);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  },
  install() {
    mkdirSync(folder, { recursive: true });
    const manifest = {
      private: true,
      dependencies: { verdaccio: version },
      // It is asked for by a tag, which not every registry knows.
      overrides: { 'node-fetch': '2.7.0' },
    };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund'];
    const { status, error } = spawnSync('npm', args, { cwd: folder, stdio: 'inherit' });
    if (status !== 0) throw new Error('npm could not install Verdaccio', { cause: error });
  },
  async start(bench) {
    const { url } = await bench.registry();
    const data = await bench.folder('verdaccio');
    const port = await freePort();
    const config = join(data, 'config.yaml');
    await writeFile(config, configuration(data, url));
    const program = join(installed, 'bin', 'verdaccio');
    const args = [program, '--config', config, '--listen', `127.0.0.1:${port}`];
    const env = { HOME: data };
    const server = { name: 'verdaccio', command: process.execPath, args, folder: data, port, env };
    return startServer(bench, { ...server, graceMs: 3_000 });
  },
};

function configuration(data: string, registry: string): string {
  return `storage: ${join(data, 'storage')}
auth: { htpasswd: { file: ${join(data, 'htpasswd')} } }
uplinks:
  upstream:
    url: ${registry}/
    # No request for a document that it has, within a run.
    maxage: 1h
    # As many connections as it takes, kept open.
    agent_options: { keepAlive: true, maxSockets: 256, maxFreeSockets: 256 }
packages:
  '**': { access: $all, proxy: upstream }
web: { enable: false }
log: { type: stdout, format: json, level: warn }
`;
}

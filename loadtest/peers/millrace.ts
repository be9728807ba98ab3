import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import manifest from '../../package.json' with { type: 'json' };
import type { Bench } from '../bench.ts';
import { hasEnded, startPinned, stop } from '../processes/start.ts';
import { waitFor } from '../processes/wait-for.ts';
import type { Peer } from './peer.ts';

/** The gateway as a user runs it: a process of its own, a config file, its log to a file. */
export const millrace: Peer = {
  name: 'millrace',
  version: () => manifest.version,
  async start(bench, settings) {
    const { memory, disk, mirrors } = settings;
    const upstreams = (await bench.upstreams(settings)).map((url, i) => {
      const { connections } = mirrors?.[i] ?? {};
      return connections === undefined ? { url } : { url, concurrency: connections };
    });
    const folder = await bench.folder('millrace');
    await mkdir(folder, { recursive: true });
    const config = join(folder, 'millrace.yaml');
    await writeFile(
      config,
      [
        'listen: { host: 127.0.0.1, port: 0 }',
        'admin: { host: 127.0.0.1, port: 0 }',
        `data: ${JSON.stringify(join(folder, 'data'))}`,
        `memory: ${memory}`,
        `disk: ${disk}`,
        'logLevel: info',
        'logFormat: json',
        ...(mirrors ? ['limits: { connections: 16 }'] : []),
        'mounts:',
        `  - { path: /files, ecosystem: generic, upstreams: ${JSON.stringify(upstreams)} }`,
        '',
      ].join('\n'),
    );
    const logFile = join(folder, 'log.json');
    const log = await open(logFile, 'w');
    const child = startPinned(
      process.execPath,
      [...nodeFlags(bench), join(bench.root, manifest.bin.millrace), 'serve', '--config', config],
      bench.cores.server,
      { cwd: folder, stdio: ['ignore', log.fd, log.fd] },
    );
    await log.close();
    const ended = (): string | undefined =>
      hasEnded(child) ? `the gateway ended (${child.signalCode ?? child.exitCode})` : undefined;
    try {
      const { url, admin } = await waitFor('the gateway to listen', async () => {
        const why = ended();
        if (why !== undefined) throw new Error(`${why}: ${await readFile(logFile, 'utf8')}`);
        return listening(logFile);
      });
      return {
        name: 'millrace',
        base: `${url}/files`,
        pid: child.pid,
        ended,
        complaint: () => findLine(logFile, ({ level }) => level === 'error' || level === 'fatal'),
        memoryTierBytes: () => memoryTierBytes(admin),
        stop: () => stop(child),
      };
    } catch (error) {
      await stop(child);
      throw error;
    }
  },
};

/** Flags of Node's for the gateway: what it does is the same with all of them. */
function nodeFlags({ profile, handicap }: Bench): readonly string[] {
  return [
    ...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]),
    ...(handicap ? ['--no-turbofan', '--no-maglev', '--no-sparkplug'] : []),
  ];
}

/** What the log says of where the gateway listens; undefined while it does not. */
async function listening(file: string): Promise<{ url: string; admin: string } | undefined> {
  const line = await findLine(file, ({ msg }) => msg === 'listening');
  if (line === undefined) return undefined;
  const { url, admin } = JSON.parse(line) as Record<string, unknown>;
  return { url: String(url).replace(/\/$/, ''), admin: String(admin) };
}

/** The first line of a log that is a JSON object of that kind. */
async function findLine(
  file: string,
  isWanted: (fields: Record<string, unknown>) => boolean,
): Promise<string | undefined> {
  for await (const line of createInterface({ input: createReadStream(file) })) {
    // The last line may be half there.
    if (!line.startsWith('{') || !line.endsWith('}')) continue;
    if (isWanted(JSON.parse(line) as Record<string, unknown>)) return line;
  }
  return undefined;
}

async function memoryTierBytes(admin: string): Promise<number> {
  const response = await fetch(`${admin}/api/stats`);
  const { tiers } = (await response.json()) as {
    readonly tiers: readonly { readonly name: string; readonly bytes: number }[];
  };
  return tiers.find(({ name }) => name === 'memory')?.bytes ?? 0;
}

import type { ChildProcess } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import manifest from '../../package.json' with { type: 'json' };
import type { Bench } from '../bench.ts';
import type { CacheSettings } from '../cache-settings.ts';
import { hasEnded, startPinned, stop } from '../processes/start.ts';
import { waitFor } from '../processes/wait-for.ts';
import { cacheLookups, memoryTierBytes } from './millrace-metrics.ts';
import type { Peer } from './peer.ts';
import { freePort } from './server-process.ts';

/** The gateway: a process of its own, a config file; without an access log, as all who take part. */
export const millrace = gatewayPeer('millrace', false);

/** The same as it starts unless told otherwise: a line for each request, to a file. */
export const millraceLog = gatewayPeer('millrace-log', true);

function gatewayPeer(name: string, accessLog: boolean): Peer {
  return {
    name,
    version: () => manifest.version,
    async start(bench, settings) {
      const folder = await bench.folder(name);
      const data = join(folder, 'data');
      const port = await freePort();
      await writeFile(
        join(folder, 'millrace.yaml'),
        await configuration(bench, settings, { data, port, accessLog }),
      );
      let running = await startGateway(bench, folder);
      const ended = (): string | undefined => endOf(running.child);
      return {
        name,
        base: `http://127.0.0.1:${port}${settings.npm ? '/npm' : '/files'}`,
        registry: `http://127.0.0.1:${port}/npm`,
        get pid() {
          return running.child.pid;
        },
        ended,
        complaint: () =>
          findLine(running.logFile, ({ level }) => level === 'error' || level === 'fatal'),
        memoryTierBytes: () => memoryTierBytes(running.admin),
        cacheLookups: () => cacheLookups(running.admin),
        async restart(meanwhile) {
          await stop(running.child);
          await meanwhile?.(data);
          running = await startGateway(bench, folder);
          return running.readyMs;
        },
        stop: () => stop(running.child),
      };
    },
  };
}

async function configuration(
  bench: Bench,
  settings: CacheSettings,
  { data, port, accessLog }: { data: string; port: number; accessLog: boolean },
): Promise<string> {
  const { memory, disk, mirrors } = settings;
  const upstreams = (await bench.upstreams(settings)).map((url, i) => {
    const { connections } = mirrors?.[i] ?? {};
    return connections === undefined ? { url } : { url, concurrency: connections };
  });
  const npm = settings.npm ? (await bench.registry()).url : `${upstreams[0]?.url}/npm`;
  return [
    `listen: { host: 127.0.0.1, port: ${port} }`,
    'admin: { host: 127.0.0.1, port: 0 }',
    `data: ${JSON.stringify(data)}`,
    `memory: ${memory}`,
    `disk: ${disk}`,
    'logLevel: info',
    `accessLog: ${accessLog}`,
    'logFormat: json',
    ...(mirrors ? ['limits: { connections: 16 }'] : []),
    'mounts:',
    `  - { path: /files, ecosystem: generic, upstreams: ${JSON.stringify(upstreams)} }`,
    `  - { path: /npm, ecosystem: npm, upstreams: [{ url: ${npm} }] }`,
    '',
  ].join('\n');
}

interface RunningGateway {
  readonly child: ChildProcess;
  readonly admin: string;
  readonly logFile: string;
  /** From the start of the process until it listened. */
  readonly readyMs: number;
}

/** Starts it on the configuration in the folder; throws with its log when it does not listen. */
async function startGateway(bench: Bench, folder: string): Promise<RunningGateway> {
  const logFile = join(folder, 'log.json');
  const log = await open(logFile, 'w');
  const launcher = join(bench.root, manifest.bin.millrace);
  const startedAt = Date.now();
  const child = startPinned(
    process.execPath,
    [...nodeFlags(bench), launcher, 'serve', '--config', join(folder, 'millrace.yaml')],
    bench.cores.server,
    { cwd: folder, stdio: ['ignore', log.fd, log.fd] },
  );
  await log.close();
  try {
    const { admin, time } = await waitFor('the gateway to listen', async () => {
      const why = endOf(child);
      if (why !== undefined) throw new Error(`${why}: ${await readFile(logFile, 'utf8')}`);
      return listening(logFile);
    });
    return { child, admin, logFile, readyMs: time - startedAt };
  } catch (error) {
    await stop(child);
    throw error;
  }
}

function endOf(child: ChildProcess): string | undefined {
  return hasEnded(child) ? `the gateway ended (${child.signalCode ?? child.exitCode})` : undefined;
}

/** Flags of Node's for the gateway, those of `npm start` first: what it does is the same with all of them. */
function nodeFlags({ profile, handicap }: Bench): readonly string[] {
  return [
    ...manifest.scripts.start.split(' ').filter((word) => word.startsWith('--')),
    ...(profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]),
    ...(handicap ? ['--no-turbofan', '--no-maglev', '--no-sparkplug'] : []),
  ];
}

/** What the log says of where the gateway listens, and since when; undefined while it does not. */
async function listening(file: string): Promise<{ admin: string; time: number } | undefined> {
  const line = await findLine(file, ({ msg }) => msg === 'listening');
  if (line === undefined) return undefined;
  const { admin, time } = JSON.parse(line) as Record<string, unknown>;
  return { admin: String(admin), time: new Date(time as string | number).getTime() };
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

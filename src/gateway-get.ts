import { join } from 'node:path';
import type { Config } from './config/config.ts';
import { matchesAddress } from './core/network.ts';
import { FileFetch, type FileFetchParts } from './gateway-get-file.ts';
import { type AskedFile, createFileRequests } from './gateway-get-request.ts';
import { mirrorSettings } from './gateway-mirrors.ts';
import { allowedHosts } from './gateway-routing.ts';
import { createDownloader } from './upstream/download.ts';
import { readMirrorMemory } from './upstream/mirror-memory.ts';
import { Mirrors } from './upstream/mirrors.ts';
import { createTransport } from './upstream/transport.ts';

export interface DownloadsOptions extends Omit<FileFetchParts, 'downloader'> {
  /** false: only the place that a URL itself names is asked. */
  readonly mirrors: boolean;
  /** The most for one file. */
  readonly connections: number;
  /** Bytes per second for all together; undefined: as configured. */
  readonly bandwidth: number | undefined;
  /** Hears of what is no reason not to go on. */
  readonly warn: (text: string) => void;
}

export interface WantedFile extends Omit<AskedFile, 'mirrors'> {
  /** Absolute. */
  readonly target: string;
}

/** The gateway's way to its upstreams, without a gateway: into files. */
export interface Downloads {
  file(wanted: WantedFile): FileFetch;
  close(): Promise<void>;
}

/** What a gateway has learned of the mirrors is used where its data folder is at hand. */
export async function createDownloads(
  config: Config,
  options: DownloadsOptions,
): Promise<Downloads> {
  const { connections, bandwidth = config.limits.bandwidth } = options;
  const settings = mirrorSettings(config);
  const mirrors = new Mirrors(Date.now, {
    ...settings,
    rules: options.mirrors ? (settings.rules ?? []) : [],
    connections,
    connectionsEach: connections,
    ...(bandwidth !== undefined && { bandwidth }),
  });
  await recall(mirrors, join(config.data, 'mirrors.json'), options.warn);
  const { connect, firstByte, idle } = config.timeouts;
  const transport = createTransport({
    connectTimeoutMs: connect,
    firstByteTimeoutMs: firstByte,
    idleTimeoutMs: idle,
    allowAddress: (ip, port) => matchesAddress(allowedHosts(config), ip, port),
    onConnect: (origin, milliseconds) => mirrors.connected(origin, milliseconds),
  });
  const downloader = createDownloader(transport, { mirrors, redirectTrusted: () => true });
  const requests = createFileRequests(config);
  return {
    file({ target, ...asked }) {
      const request = requests({ ...asked, mirrors: options.mirrors });
      return new FileFetch({ ...options, downloader }, request, target);
    },
    close: () => transport.close(),
  };
}

/** Reads and does not write: the file is the gateway's. Without one the mirrors are learned anew. */
async function recall(mirrors: Mirrors, path: string, warn: (text: string) => void): Promise<void> {
  const found = await readMirrorMemory(path);
  if (found.kind === 'nothing') return;
  if (found.kind === 'memory' && mirrors.tracker.restore(found.memory)) return;
  warn(`${path}: what a gateway has learned of the mirrors cannot be read`);
}

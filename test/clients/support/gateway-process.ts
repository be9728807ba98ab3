import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { KindStats } from '../../../src/core/traffic-stats.ts';
import type { AdminStats } from '../../../src/surfaces/admin-view.ts';
import { temporaryFolder } from '../../support/gateway.ts';

const main = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

/** A gateway in a process of its own, started as a user starts it. */
export interface GatewayProcess {
  readonly url: string;
  readonly adminUrl: string;
  /** Its log so far: one object a line. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  stats(): Promise<AdminStats>;
  /** The row of `byKind`; zeros before the first such request. */
  kind(ecosystem: string, kind: KindStats['kind']): Promise<KindStats>;
  /** SIGTERM, and the end; rejects when that is not an orderly one. */
  stop(): Promise<void>;
}

/** One with a mount of that ecosystem and of its name, before these upstreams. */
export function gatewayOf(
  ecosystem: string,
  ...upstreams: readonly { readonly url: string }[]
): Promise<GatewayProcess> {
  const urls = upstreams.map(({ url }) => ({ url }));
  return gatewayProcess({ mounts: [{ path: `/${ecosystem}`, ecosystem, upstreams: urls }] });
}

/**
 * Starts one on free ports of loopback; `config` is what its file says besides, `env` what it sees of
 * the environment besides.
 */
export async function gatewayProcess(
  config: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string>> = {},
): Promise<GatewayProcess> {
  const folder = await temporaryFolder();
  const file = join(folder, 'millrace.yaml');
  const base = {
    listen: { host: '127.0.0.1', port: 0 },
    admin: { host: '127.0.0.1', port: 0 },
    data: './data',
    memory: '64MiB',
    disk: '2GiB',
    logFormat: 'json',
  };
  // JSON is YAML too.
  await writeFile(file, JSON.stringify({ ...base, ...config }));
  const child = spawn(process.execPath, [main, 'serve', '--config', file], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const log: Record<string, unknown>[] = [];
  const listening = Promise.withResolvers<{ url: string; admin: string }>();
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as Record<string, unknown>;
    log.push(line);
    if (line.msg !== 'listening') return;
    listening.resolve({ url: String(line.url), admin: String(line.admin) });
  });
  exited.then(
    ([code]) => listening.reject(new Error(`the gateway ended with ${code}: ${errors}`)),
    listening.reject,
  );
  const { url, admin: adminUrl } = await listening.promise;

  const stats = async (): Promise<AdminStats> => {
    const response = await fetch(`${adminUrl}/api/stats`);
    return (await response.json()) as AdminStats;
  };
  return {
    url,
    adminUrl,
    log,
    stats,
    async kind(ecosystem, kind) {
      const { traffic } = await stats();
      const row = traffic.requests.byKind.find(
        (each) => each.ecosystem === ecosystem && each.kind === kind,
      );
      const none = { requests: 0, forwarded: 0, upstreamRequests: 0, bytesToClients: 0 };
      return row ?? { ecosystem, kind, ...none };
    },
    async stop() {
      child.kill('SIGTERM');
      const [code] = (await exited) as [number | null];
      if (code !== 0) throw new Error(`the gateway ended with ${code}: ${errors}`);
    },
  };
}

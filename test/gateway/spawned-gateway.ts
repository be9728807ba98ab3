import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { Client } from '../support/client.ts';

const main = new URL('../../src/main.ts', import.meta.url).pathname;

export interface Spawned {
  readonly child: ChildProcess;
  readonly url: string;
  readonly admin: string;
}

/** Writes a configuration into the folder: the origin below `/files`, data beside it; its path. */
export async function writeConfig(
  folder: string,
  origin: string,
  more: Record<string, unknown> = {},
): Promise<string> {
  const config = join(folder, 'millrace.yaml');
  const mount = { path: '/files', ecosystem: 'generic', upstreams: [{ url: origin }] };
  await writeFile(
    config,
    JSON.stringify({
      listen: { port: 0 },
      admin: { port: 0 },
      data: join(folder, 'data'),
      logFormat: 'json',
      mounts: [mount],
      ...more,
    }),
  );
  return config;
}

/** A gateway in a process of its own, so that it can be killed. */
export async function spawnGateway(config: string): Promise<Spawned> {
  const child = spawn(process.execPath, [main, 'serve', '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const entry = JSON.parse(line) as { msg?: string; url: string; admin: string };
    if (entry.msg === 'listening') return { child, url: entry.url, admin: entry.admin };
  }
  throw new Error('the gateway ended before it listened');
}

/** Once no fill is under way: what was fetched is stored. */
export async function settled(client: Client, admin: string): Promise<void> {
  for (;;) {
    const { body } = await client.send(`${admin}/api/stats`);
    if ((JSON.parse(body.toString()) as { fills: { active: number } }).fills.active === 0) return;
  }
}

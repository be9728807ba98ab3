import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { Client } from '../support/client.ts';
import { temporaryFolder } from '../support/gateway.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { httpOrigin } from '../support/http-origin.ts';

const main = new URL('../../src/main.ts', import.meta.url).pathname;

interface Spawned {
  readonly child: ChildProcess;
  readonly url: string;
  readonly admin: string;
}

/** A gateway in a process of its own, so that it can be killed. */
async function spawnGateway(config: string): Promise<Spawned> {
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

test('kill -9 in the middle of a fill: the restart serves right bytes and sweeps the rest', async () => {
  const folder = await temporaryFolder();
  const origin = await httpOrigin();
  const size = 30_000_000;
  const headers = { 'Cache-Control': 'max-age=600' };
  origin.serve('/big', { body: { seed: 'crash', size }, headers });
  origin.serve('/done', { body: { seed: 'done', size: 300_000 }, headers });
  const config = join(folder, 'millrace.yaml');
  const data = join(folder, 'data');
  await writeFile(
    config,
    JSON.stringify({
      listen: { port: 0 },
      admin: { port: 0 },
      data,
      logFormat: 'json',
      mounts: [{ path: '/files', ecosystem: 'generic', upstreams: [{ url: origin.url }] }],
    }),
  );
  const client = new Client();

  const first = await spawnGateway(config);
  await client.send(`${first.url}/files/done`);
  await settled(client, first.admin);
  const open = await client.open(`${first.url}/files/big`);
  await once(open.message, 'data');
  open.message.on('error', () => open.message.destroy());
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');

  const second = await spawnGateway(config);
  const done = await client.send(`${second.url}/files/done`);
  expect(done.body.equals(generatedBytes('done', 0, 300_000))).toBe(true);
  expect(done.field('cache-status')).toContain('hit');
  const big = await client.send(`${second.url}/files/big`);
  await settled(client, second.admin);
  expect(big.body.equals(generatedBytes('crash', 0, size))).toBe(true);
  const again = await client.send(`${second.url}/files/big`);
  expect(again.field('cache-status')).toContain('hit');
  expect(await readdir(join(data, 'partial'))).toEqual([]);
  second.child.kill('SIGTERM');
  expect((await once(second.child, 'exit'))[0]).toBe(0);
});

/** Once no fill is under way: what was fetched is stored. */
async function settled(client: Client, admin: string): Promise<void> {
  for (;;) {
    const { body } = await client.send(`${admin}/api/stats`);
    if ((JSON.parse(body.toString()) as { fills: { active: number } }).fills.active === 0) return;
  }
}

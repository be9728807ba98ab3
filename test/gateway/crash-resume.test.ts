import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { Client } from '../support/client.ts';
import { temporaryFolder } from '../support/gateway.ts';
import { generatedSha256 } from '../support/generated-bytes.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { settled, spawnGateway, writeConfig } from './spawned-gateway.ts';

const mebibyte = 2 ** 20;
/** `CRASH_RUNS=20 CRASH_MIB=256` is the whole experiment. */
const runs = Number(process.env.CRASH_RUNS ?? 3);
const size = Number(process.env.CRASH_MIB ?? 48) * mebibyte;
const connections = Number(process.env.CRASH_CONNECTIONS ?? 1);
/** Bytes of the kernel's socket buffers that were sent and never read when a process is killed. */
const inSockets = 12 * mebibyte;

/** A number in [0, 1) that the seed decides. */
function fraction(seed: number): number {
  return createHash('sha256').update(`crash ${seed}`).digest().readUInt32BE() / 2 ** 32;
}

async function hashOf(message: IncomingMessage): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of message) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

test.for(Array.from({ length: runs }, (_, i) => i))(
  'kill -9 number %i in the middle of a fill: the restart fetches only what is missing',
  { timeout: 60_000 },
  async (seed) => {
    const origin = await httpOrigin();
    origin.serve('/big', {
      body: { seed: 'resume', size },
      headers: { 'Cache-Control': 'max-age=600', 'Content-Type': 'application/x-large' },
    });
    const limits = { connections };
    const config = await writeConfig(await temporaryFolder(), origin.url, { limits });
    const client = new Client();

    const first = await spawnGateway(config);
    const open = await client.open(`${first.url}/files/big`);
    open.message.on('error', () => open.message.destroy());
    const until = size * fraction(seed);
    open.message.resume();
    while (origin.bytesSent < until) await new Promise((resolve) => setImmediate(resolve));
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    const before = origin.bytesSent;

    const second = await spawnGateway(config);
    const { status, message } = await client.open(`${second.url}/files/big`);
    expect(status).toBe(200);
    expect(message.headers).toMatchObject({
      'content-length': String(size),
      'content-type': 'application/x-large',
    });
    expect(await hashOf(message)).toBe(generatedSha256('resume', size));
    await settled(client, second.admin);
    const ratio = origin.bytesSent / size;
    if (process.env.CRASH_RUNS) {
      const cells = [seed, before / size, ratio, origin.requests.length];
      process.stdout.write(`| ${cells.map((cell) => Number(cell.toFixed(4))).join(' | ')} |\n`);
    }
    expect(origin.bytesSent).toBeLessThan(Math.max(1.1 * size, size + inSockets));
    const again = await client.open(`${second.url}/files/big`);
    expect(await hashOf(again.message)).toBe(generatedSha256('resume', size));
    expect(origin.bytesSent / size).toBe(ratio);
  },
);

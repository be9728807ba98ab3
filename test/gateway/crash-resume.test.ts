import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, readdir } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { Client } from '../support/client.ts';
import { temporaryFolder } from '../support/gateway.ts';
import { generatedSha256 } from '../support/generated-bytes.ts';
import { type BreakingOrigin, breakingOrigin } from './breaking-origin.ts';
import { settled, spawnGateway, writeConfig } from './spawned-gateway.ts';

const mebibyte = 2 ** 20;
const seeds = (count: number) => Array.from({ length: count }, (_, seed) => seed);
const { CRASH_RUNS = '0', CRASH_RATE = '0', CRASH_CONNECTIONS = '1' } = process.env;

/** A number in [0, 1) that the seed decides. */
function fraction(seed: number): number {
  return createHash('sha256').update(`crash ${seed}`).digest().readUInt32BE() / 2 ** 32;
}

async function hashOf(message: IncomingMessage): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of message) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Bytes that the data directory says would be taken up, read as a process would that came now. */
async function noted(data: string, copy: string): Promise<number> {
  for (const name of ['millrace.db', 'millrace.db-wal']) {
    await copyFile(join(data, name), join(copy, name));
  }
  const database = new DatabaseSync(join(copy, 'millrace.db'));
  try {
    const numbers = database
      .prepare('SELECT pieces FROM leftovers')
      .all()
      .flatMap(({ pieces }) => JSON.parse(pieces as string) as number[]);
    let bytes = 0;
    for (let i = 0; i < numbers.length; i += 3) {
      bytes += (numbers[i + 1] as number) + 1 - (numbers[i] as number);
    }
    return bytes;
  } finally {
    database.close();
  }
}

interface Crash {
  readonly origin: BreakingOrigin;
  readonly folder: string;
}

/** Kills a gateway in the middle of a fill when `moment` resolves, and asks the next one for it. */
async function crash(
  { origin, folder }: Crash,
  moment: () => Promise<void>,
  limits: object = {},
): Promise<void> {
  const { size } = origin;
  const config = await writeConfig(folder, origin.url, { limits });
  const client = new Client();
  const first = await spawnGateway(config);
  const open = await client.open(`${first.url}/files/big`);
  open.message.on('error', () => open.message.destroy());
  open.message.resume();
  await moment();
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  origin.pace = async () => undefined;

  const second = await spawnGateway(config);
  const { status, message } = await client.open(`${second.url}/files/big`);
  expect(status).toBe(200);
  expect(message.headers).toMatchObject({ 'content-length': String(size), 'x-kept': 'yes' });
  expect(await hashOf(message)).toBe(generatedSha256(origin.seed, size));
  await settled(client, second.admin);
  const { sent } = origin;
  const again = await client.open(`${second.url}/files/big`);
  expect(await hashOf(again.message)).toBe(generatedSha256(origin.seed, size));
  expect(origin.sent).toBe(sent);
  second.child.kill('SIGTERM');
  await once(second.child, 'exit');
}

describe('kill -9 in the middle of a fill', () => {
  test.for(seeds(3))(
    'number %i: the restart fetches only what is missing',
    { timeout: 60_000 },
    async (seed) => {
      const size = 24 * mebibyte;
      const folder = await temporaryFolder();
      const origin = await breakingOrigin(size);
      const most = 2 * mebibyte + Math.floor(fraction(seed) * 20 * mebibyte);
      const held = new Promise<void>(() => undefined);
      origin.pace = (position) => (position < most ? Promise.resolve() : held);
      const least = most - 2 * mebibyte;
      const copy = await temporaryFolder();
      const enoughNoted = async () => {
        while ((await noted(join(folder, 'data'), copy)) < least) await turn();
      };
      // With several, what one had sent ahead of another that took its place would count, too.
      await crash({ origin, folder }, enoughNoted, { connections: 1 });
      // A piece of the origin's, and what was not noted yet.
      expect(origin.sent).toBeLessThan(size + 2.2 * mebibyte);
      expect(await readdir(join(folder, 'data', 'resumable'))).toEqual([]);
    },
  );
});

/** `CRASH_RUNS=20 CRASH_RATE=100` (MiB a second; 0: as fast as it goes) is the whole experiment. */
describe.skipIf(CRASH_RUNS === '0')('kill -9 at a random moment of 256 MiB', () => {
  test.for(seeds(Number(CRASH_RUNS)))(
    'number %i: at most 1.1 times the object is fetched',
    { timeout: 120_000 },
    async (seed) => {
      const size = 256 * mebibyte;
      const origin = await breakingOrigin(size);
      const rate = Number(CRASH_RATE) * mebibyte;
      const started = performance.now();
      if (rate > 0) {
        origin.pace = async () => {
          const early = (origin.sent / rate) * 1000 - (performance.now() - started);
          if (early > 1) await new Promise((resolve) => setTimeout(resolve, early));
        };
      }
      let before = 0;
      await crash(
        { origin, folder: await temporaryFolder() },
        async () => {
          while (origin.sent < size * fraction(seed)) await turn();
          before = origin.sent;
        },
        { connections: Number(CRASH_CONNECTIONS) },
      );
      const cells = [seed, before / size, origin.sent / size, origin.ranges.length];
      process.stdout.write(`| ${cells.map((cell) => Number(cell.toFixed(4))).join(' | ')} |\n`);
      expect(origin.sent).toBeLessThan(1.1 * size);
    },
  );
});

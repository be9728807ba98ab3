import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeVector } from '../../src/storage/engines/file-io.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { getFixture, mebibyte, rangesOf, sendSome } from './get-fixture.ts';

const size = 2 * mebibyte;
const half = mebibyte;
const etag = '"v1"';
const bytes = generatedBytes('trouble', 0, size);
const resource = { body: bytes, etag };

/** Waits for nothing, and notes for how long it should have. */
function noWait() {
  const waited: number[] = [];
  return { waited, wait: async (milliseconds: number) => void waited.push(milliseconds) };
}

test('while the network is away it is tried again, from where it was', async () => {
  const { origin, cwd, direct } = await getFixture();
  const { waited, wait } = noWait();
  let requests = 0;
  origin.handle('/x', (request, response) => {
    requests += 1;
    if (requests === 1) {
      sendSome(response, { bytes, count: half, etag });
      response.write('', () => setImmediate(() => response.destroy()));
    } else if (waited.length < 2) request.socket.destroy();
    else origin.serve('/x', resource);
    if (waited.length === 2) request.socket.destroy();
  });
  const { code, stdout, stderr } = await direct([`${origin.url}/x`], { wait });
  expect(code).toBe(0);
  expect((await readFile(join(cwd, 'x'))).equals(bytes)).toBe(true);
  expect(waited.slice(0, 2)).toEqual([1_000, 2_000]);
  expect(stderr).toMatch(/^x: .*; once more in 0:01\nx: .*; once more in 0:02\n/);
  expect(stdout).toContain('x: 2.00 MiB in ');
  // Nothing but the first request asked for what had come.
  const [first, ...others] = rangesOf(origin);
  expect(first).toBe(undefined);
  expect(new Set(others)).toEqual(new Set([`bytes=${half}-${size - 1}`, `bytes=${half}-`]));
});

test('a network that stays away ends it, and what came is kept', async () => {
  const { origin, direct, files } = await getFixture();
  const { waited, wait } = noWait();
  origin.handle('/x', (request, response) => {
    if (request.headers.range !== undefined) return void request.socket.destroy();
    sendSome(response, { bytes, count: half, etag });
    response.write('', () => setImmediate(() => response.destroy()));
  });
  const { code, stderr } = await direct([`${origin.url}/x`], { wait });
  expect(code).toBe(3);
  expect(waited).toEqual([1_000, 2_000, 4_000, 8_000]);
  expect(stderr).toMatch(
    /millrace: x: .*; 1\.00 MiB of 2\.00 MiB are missing; the same command goes on from the 1\.00 MiB in .*x\.part\n$/,
  );
  expect(await files()).toEqual(['x.part', 'x.part.json']);
});

test('an overloaded server is waited for as it says', async () => {
  const { origin, direct } = await getFixture();
  const { waited, wait } = noWait();
  origin.handle('/x', (_request, response) => {
    origin.serve('/x', resource);
    response.writeHead(503, { 'Retry-After': '7' }).end();
  });
  expect((await direct([`${origin.url}/x`], { wait })).code).toBe(0);
  expect(waited).toEqual([7_000]);
});

test('a full disk: it says what is missing, keeps what came, and goes on when there is room', async () => {
  const { origin, cwd, direct, files } = await getFixture();
  origin.serve('/x', resource);
  let room = half;
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
    code: 'ENOSPC',
  });
  const { code, stderr } = await direct([`${origin.url}/x`], {
    writeVector: async (fd, chunks, position) => {
      if (room === 0) throw full;
      const chunk = (chunks[0] as Uint8Array).subarray(0, room);
      room -= chunk.length;
      return writeVector(fd, [chunk], position);
    },
  });
  expect(code).toBe(6);
  expect(stderr).toMatch(
    /^millrace: x: no space is left on the device \(ENOSPC: .*\); 1\.00 MiB of 2\.00 MiB are missing; the same command goes on from the 1\.00 MiB in .*x\.part\n$/,
  );
  expect(await files()).toEqual(['x.part', 'x.part.json']);
  expect((await direct([`${origin.url}/x`])).code).toBe(0);
  expect((await readFile(join(cwd, 'x'))).equals(bytes)).toBe(true);
  expect(rangesOf(origin)).toEqual([undefined, `bytes=${half}-`]);
});

test('bytes that came from one place over one connection and are wrong are not asked for again', async () => {
  const { origin, get, files } = await getFixture();
  origin.serve('/x', resource);
  const other = createHash('sha256').update('other').digest('hex');
  expect((await get([`${origin.url}/x`, '--checksum', `sha256:${other}`])).code).toBe(5);
  expect(origin.requests).toHaveLength(1);
  expect(await files()).toEqual([]);
});

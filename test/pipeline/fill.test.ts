import { createHash } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import type { Digest } from '../../src/core/digest.ts';
import { GatewayError } from '../../src/core/errors.ts';
import { createMemoryStore } from '../../src/storage/engines/memory.ts';
import type { PartialBody } from '../../src/storage/store.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { fillFixture, key, readAll } from './fill-fixture.ts';

const mebibyte = 2 ** 20;

describe('a fill', () => {
  test('gives a reader the bytes the moment they are there', async () => {
    const { fill } = await fillFixture({ size: 6 });
    const reader = fill.read();
    fill.append(0, Buffer.from('abc'));
    expect(Buffer.from((await reader.next()) ?? '').toString()).toBe('abc');
    const next = reader.next();
    fill.append(3, Buffer.from('def'));
    expect(Buffer.from((await next) ?? '').toString()).toBe('def');
    await fill.finish();
    expect(await reader.next()).toBeUndefined();
  });

  test('serves readers that come late, and ranges, from the bytes that came before', async () => {
    const { fill } = await fillFixture({ size: 10 });
    fill.append(0, Buffer.from('01234'));
    const late = readAll(fill.read());
    const range = readAll(fill.read({ first: 3, last: 7 }));
    fill.append(5, Buffer.from('56789'));
    await fill.finish();
    expect((await late).toString()).toBe('0123456789');
    expect((await range).toString()).toBe('34567');
  });

  test('goes on without any reader and stores the body under its digest', async () => {
    const { fill, store, source } = await fillFixture({ size: 4 });
    fill.read().close();
    fill.append(0, Buffer.from('body'));
    await fill.finish();
    const sha256 = createHash('sha256').update('body').digest('hex');
    expect((await fill.settled)?.body).toEqual({ sha256, size: 4 });
    expect(await store.get(key)).toHaveLength(1);
    expect(source.told).not.toContain('abort');
  });

  test('does not wait for a reader that stalls while the body is stored', async () => {
    const size = 4 * mebibyte;
    const { fill } = await fillFixture({ size });
    const stalled = fill.read();
    const whole = generatedBytes('stall', 0, size);
    for (let at = 0; at < size; at += 65_536) fill.append(at, whole.subarray(at, at + 65_536));
    await fill.finish();
    expect(await fill.settled).toBeDefined();
    expect((await readAll(stalled)).equals(whole)).toBe(true);
  });

  test('a body shorter than its length is an error for every reader and is not stored', async () => {
    const { fill, store } = await fillFixture({ size: 10 });
    const reader = fill.read();
    fill.append(0, Buffer.from('short'));
    await reader.next();
    await fill.finish();
    await expect(reader.next()).rejects.toMatchObject({ code: 'http_response_incomplete' });
    expect(await fill.settled).toBeUndefined();
    expect(await store.get(key)).toHaveLength(0);
  });

  test('what a reader reads back is not read once more for the hash', async () => {
    const size = 8 * 2 ** 20;
    const whole = generatedBytes('read once', 0, size);
    const store = createMemoryStore({ maxBytes: 64 * 2 ** 20, maxBodyBytes: size });
    const partial = await store.begin(size);
    let readBack = 0;
    const counted: PartialBody = Object.create(partial, {
      failure: { get: () => partial.failure },
      write: { value: (...args: Parameters<PartialBody['write']>) => partial.write(...args) },
      commit: { value: (...args: Parameters<PartialBody['commit']>) => partial.commit(...args) },
      release: { value: () => partial.release() },
      read: {
        value: async (position: number, target: Uint8Array) => {
          const count = await partial.read(position, target);
          readBack += count;
          return count;
        },
      },
    });
    const { fill } = await fillFixture({ size, partial: counted });
    const all = readAll(fill.read());
    fill.release();
    for (const start of [size / 2, 0]) {
      for (let at = start; at < start + size / 2; at += 262_144) {
        fill.append(at, whole.subarray(at, at + 262_144));
      }
    }
    expect((await all).equals(whole)).toBe(true);
    await fill.finish();
    expect(fill.sha256).toBe(createHash('sha256').update(whole).digest('hex'));
    expect(readBack).toBeLessThanOrEqual(size);
  });

  test('bytes that come out of order are hashed and stored in order', async () => {
    const { fill, source } = await fillFixture({ size: 6 });
    const tail = readAll(fill.read({ first: 4, last: 5 }));
    expect(source.told).toEqual(['want 4']);
    fill.append(4, Buffer.from('ef'));
    expect((await tail).toString()).toBe('ef');
    fill.append(0, Buffer.from('abcd'));
    await fill.finish();
    const sha256 = createHash('sha256').update('abcdef').digest('hex');
    expect((await fill.settled)?.body.sha256).toBe(sha256);
  });
});

describe('a fill with a known digest', () => {
  const digestOf = (text: string): Digest => ({
    algorithm: 'sha512',
    hex: createHash('sha512').update(text).digest('hex'),
  });

  test.each([{ size: 4 }, { size: undefined }])(
    'holds the last byte back until the body is proven (size $size)',
    async ({ size }) => {
      const { fill } = await fillFixture({ size, digest: digestOf('good') });
      const reader = fill.read();
      fill.append(0, Buffer.from('good'));
      expect(Buffer.from((await reader.next()) ?? '').toString()).toBe('goo');
      const last = reader.next();
      await fill.finish();
      expect(Buffer.from((await last) ?? '').toString()).toBe('d');
    },
  );

  test('fails every reader before the last byte of a wrong body, and stores nothing', async () => {
    const { fill, store } = await fillFixture({ size: 4, digest: digestOf('good') });
    const reader = fill.read();
    fill.append(0, Buffer.from('evil'));
    expect((await reader.next())?.length).toBe(3);
    const last = reader.next();
    await fill.finish();
    await expect(last).rejects.toMatchObject({ code: 'digest_mismatch' });
    expect(await store.get(key)).toHaveLength(0);
  });
});

describe('a fill that is not stored', () => {
  test('goes at the pace of its slowest reader', async () => {
    const { fill, source } = await fillFixture({ size: 3 * mebibyte, partial: undefined });
    const reader = fill.read();
    fill.release();
    const piece = Buffer.alloc(mebibyte / 2);
    expect(fill.append(0, piece)).toBe(true);
    expect(fill.append(piece.length, piece)).toBe(false);
    expect(source.told).toEqual([]);
    await reader.next();
    await reader.next();
    expect(source.told).toEqual(['resume']);
  });

  test('takes another reader only while it still has the first bytes', async () => {
    const { fill } = await fillFixture({ size: 3 * mebibyte, partial: undefined });
    const reader = fill.read();
    fill.release();
    expect(fill.accepts(0)).toBe(true);
    fill.append(0, Buffer.alloc(mebibyte));
    expect(fill.accepts(0)).toBe(true);
    await reader.next();
    fill.append(mebibyte, Buffer.alloc(mebibyte));
    expect(fill.accepts(0)).toBe(false);
  });

  test('ends when its last reader leaves', async () => {
    const { fill, source } = await fillFixture({ size: 3 * mebibyte, partial: undefined });
    const reader = fill.read();
    fill.release();
    fill.append(0, Buffer.alloc(mebibyte));
    reader.close();
    expect(source.told).toContain('abort');
    expect(fill.failure?.code).toBe('client_gone');
  });

  test('drops a reader that stalls while another waits for it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { fill, source } = await fillFixture({ size: 4 * mebibyte, partial: undefined });
      const stalled = fill.read();
      const moving = fill.read();
      fill.release();
      fill.append(0, Buffer.alloc(mebibyte));
      await moving.next();
      expect(source.told).toEqual([]);
      vi.advanceTimersByTime(5_000);
      expect(source.told).toEqual(['resume']);
      await expect(stalled.next()).rejects.toMatchObject({ code: 'client_gone' });
      fill.append(mebibyte, Buffer.from('more'));
      expect((await moving.next())?.length).toBe(4);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('a fill whose readers have left', () => {
  test('goes on while it is stored, and ends when the store gives up', async () => {
    const { fill, source } = await fillFixture({
      size: 3 * mebibyte,
      partial: failingPartial(mebibyte),
    });
    fill.read().close();
    fill.release();
    fill.append(0, Buffer.alloc(mebibyte));
    expect(source.told).not.toContain('abort');
    fill.append(mebibyte, Buffer.alloc(100));
    expect(source.told).toContain('abort');
    expect(fill.failure?.code).toBe('client_gone');
  });
});

test('a source that waits is told to go on although another one never had to', async () => {
  let full = true;
  const drained = Promise.withResolvers<void>();
  const partial = {
    ...failingPartial(mebibyte),
    write: () => !full,
    drained: () => drained.promise,
  };
  const { fill, source } = await fillFixture({ size: mebibyte, partial });
  expect(fill.append(0, Buffer.alloc(10))).toBe(false);
  full = false;
  expect(fill.append(1000, Buffer.alloc(10))).toBe(true);
  drained.resolve();
  await source.resumed();
  expect(source.told).toContain('resume');
});

describe('a fill whose store fails in the middle', () => {
  test('goes on from memory, tells the operator, and the readers get every byte', async () => {
    const size = 3 * mebibyte;
    const whole = generatedBytes('full disk', 0, size);
    const partial = failingPartial(mebibyte);
    const { fill, source, failures, store } = await fillFixture({ size, partial });
    const reader = fill.read();
    fill.release();
    const all = readAll(reader);
    let position = 0;
    while (position < size) {
      const resumed = source.resumed();
      const flows = fill.append(position, whole.subarray(position, position + 65_536));
      position += 65_536;
      if (!flows) await resumed;
    }
    await fill.finish();
    expect((await all).equals(whole)).toBe(true);
    expect(failures).toHaveLength(1);
    expect(await store.get(key)).toHaveLength(0);
  });
});

/** Takes `limit` bytes and then has no more space. */
function failingPartial(limit: number): PartialBody {
  const taken = Buffer.alloc(limit);
  let failure: Error | undefined;
  return {
    resumed: undefined,
    get failure() {
      return failure;
    },
    write(position, chunk) {
      if (position + chunk.length > limit) {
        failure = new GatewayError('storage_full', 'no space', { origin: 'storage' });
        return true;
      }
      taken.set(chunk, position);
      return true;
    },
    drained: async () => {},
    async read(position, target) {
      return taken.copy(target, 0, position, Math.min(limit, position + target.length));
    },
    release() {},
    commit: async () => {
      throw new Error('a body that was not stored is not committed');
    },
    discard: async () => {},
    suspend: async () => {},
  };
}

import { describe, expect, test } from 'vitest';
import type { BodyReader } from '../../src/core/body.ts';
import type { Piece } from '../../src/pipeline/recent-chunks.ts';
import { SharedPieces, type StoredBytes } from '../../src/pipeline/shared-pieces.ts';
import { createMemoryStore } from '../../src/storage/engines/memory.ts';
import type { PartialBody } from '../../src/storage/store.ts';
import { fillFixture } from './fill-fixture.ts';

const mebibyte = 1024 * 1024;
const pieceBytes = mebibyte / 2;

/** No two neighbouring pieces, and no two bytes near each other, are alike. */
function bytesOf(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32BE(at, at);
  return bytes;
}

/** Whether it has the bytes that belong where it says it does. */
function isAsIn(bytes: Buffer, piece: Piece | undefined): boolean {
  if (piece === undefined) return false;
  const { position, chunk } = piece;
  return bytes.subarray(position, position + chunk.length).equals(chunk);
}

describe('shared pieces', () => {
  function over(size: number, arrived = size, known = true, readers = 200) {
    const bytes = bytesOf(size);
    const reads: number[] = [];
    const body: StoredBytes = {
      size: known ? size : undefined,
      readers,
      present: { upTo: (position) => Math.max(position, arrived) },
      readStored: async (position, target) => {
        reads.push(position);
        // As much as came in one piece of the file, or of what waits to be written.
        const length = Math.min(target.length, 300_000);
        bytes.copy(target, 0, position, position + length);
        return target.subarray(0, length);
      },
    };
    return { bytes, reads, pieces: new SharedPieces(body) };
  }

  test('are read once for all who come by, and end with the body', async () => {
    const { bytes, reads, pieces } = over(3 * pieceBytes - 1000);
    expect(pieces.at(5)).toBeUndefined();
    const [one, other] = [pieces.load(5), pieces.load(pieceBytes - 1)];
    expect(pieces.at(5)).toBeUndefined();
    await Promise.all([one, other]);
    expect(reads).toEqual([0, 300_000]);
    await pieces.load(7);
    expect(reads).toHaveLength(2);
    for (const at of [0, 5, pieceBytes - 1]) {
      expect(isAsIn(bytes, pieces.at(at))).toBe(true);
    }
    await pieces.load(3 * pieceBytes - 1001);
    const last = pieces.at(2 * pieceBytes);
    expect(last?.chunk).toHaveLength(pieceBytes - 1000);
    expect(isAsIn(bytes, last)).toBe(true);
  });

  test('are not read before all of them has arrived', async () => {
    const { pieces } = over(2 * mebibyte, mebibyte + 10, false);
    expect(pieces.load(mebibyte)).toBeUndefined();
    await pieces.load(mebibyte - 1);
    expect(pieces.at(mebibyte - 1)).toBeDefined();
  });

  test.each([
    [200, 32],
    [9, 9],
  ])(
    'of %i readers take a bounded memory, that of the one which nobody needed for longest first',
    async (readers, most) => {
      const { bytes, pieces } = over(20 * mebibyte, undefined, true, readers);
      const memory = new Set<ArrayBufferLike>();
      for (let number = 0; number < 40; number++) {
        await pieces.load(number * pieceBytes);
        const piece = pieces.at(number * pieceBytes);
        memory.add(piece?.chunk.buffer as ArrayBufferLike);
        expect(pieces.at(0)?.position).toBe(0);
        expect(isAsIn(bytes, piece)).toBe(true);
      }
      expect(memory.size).toBe(most);
      expect(pieces.at(pieceBytes)).toBeUndefined();
      expect(isAsIn(bytes, pieces.at(0))).toBe(true);
    },
  );

  test('stay as they are while somebody holds them; where all do there are no more', async () => {
    const { bytes, pieces } = over(20 * mebibyte);
    const held = [];
    for (let number = 0; number < 32; number++) {
      await pieces.load(number * pieceBytes);
      held.push(pieces.at(number * pieceBytes)?.loan?.hold());
    }
    const first = pieces.at(0);
    expect(pieces.load(16 * mebibyte)).toBeUndefined();
    expect(isAsIn(bytes, first)).toBe(true);
    held[3]?.release();
    await pieces.load(16 * mebibyte);
    expect(pieces.at(3 * pieceBytes)).toBeUndefined();
    expect(isAsIn(bytes, first)).toBe(true);
  });

  test('that a client may not have taken when it left are never written to again', async () => {
    const { bytes, pieces } = over(40 * mebibyte);
    await pieces.load(0);
    const piece = pieces.at(0);
    const [leaves, stays] = [piece?.loan?.hold(), piece?.loan?.hold()];
    leaves?.abandon();
    stays?.release();
    for (let number = 0; number < 80; number++) await pieces.load(number * pieceBytes);
    expect(isAsIn(bytes, piece)).toBe(true);
  });

  test('that cannot be read fail whoever waits, and are tried anew', async () => {
    let fails = true;
    const pieces = new SharedPieces({
      size: 10,
      readers: 9,
      present: { upTo: () => 10 },
      readStored: async (_, target) => {
        if (fails) throw new Error('no medium');
        return target;
      },
    });
    const waiting = [pieces.load(0), pieces.load(5)];
    for (const each of waiting) await expect(each).rejects.toThrow('no medium');
    fails = false;
    await pieces.load(0);
    expect(pieces.at(0)?.chunk).toHaveLength(10);
  });

  test('are gone when nobody reads any more', async () => {
    const { pieces } = over(mebibyte);
    await pieces.load(0);
    pieces.clear();
    expect(pieces.at(0)).toBeUndefined();
  });
});

describe('many readers of one fill', () => {
  const size = 6 * mebibyte;
  const bytes = bytesOf(size);

  /** A fill whose store counts what is read of it, with `count` readers that have had nothing yet. */
  async function herd(count: number) {
    const store = createMemoryStore({ maxBytes: 64 * mebibyte, maxBodyBytes: 8 * mebibyte });
    const partial = await store.begin(size);
    let read = 0;
    const counting = new Proxy(partial, {
      get(target, name) {
        if (name === 'read')
          return async (position: number, into: Uint8Array) => {
            const length = await target.read(position, into);
            read += length;
            return length;
          };
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    }) as PartialBody;
    const { fill } = await fillFixture({ size, partial: counting });
    const readers = Array.from({ length: count }, () => fill.read());
    for (let at = 0; at < size; at += 65_536) fill.append(at, bytes.subarray(at, at + 65_536));
    return { fill, readers, readBytes: () => read };
  }

  async function follow(reader: BodyReader): Promise<boolean> {
    let position = 0;
    for (let chunk = await reader.next(); chunk; chunk = await reader.next()) {
      if (!bytes.subarray(position, position + chunk.length).equals(chunk)) return false;
      position += chunk.length;
    }
    reader.close();
    return position === size;
  }

  test('that are behind have each byte read once for all', async () => {
    const { fill, readers, readBytes } = await herd(20);
    void fill.finish();
    const whole = await Promise.all(readers.map(follow));
    fill.release();
    expect(whole.every(Boolean)).toBe(true);
    expect(readBytes()).toBeLessThanOrEqual(size);
  });

  test('get theirs at their own pace, whoever leaves', async () => {
    const { fill, readers } = await herd(40);
    void fill.finish();
    const [leaving, staying] = [readers.slice(0, 36), readers.slice(36)];
    const walk = async (reader: BodyReader, steps: number): Promise<void> => {
      for (let step = 0; step < steps; step++) await reader.next();
      reader.close();
    };
    const whole = Promise.all(staying.map(follow));
    await Promise.all(leaving.map((reader, i) => walk(reader, 1 + (i % 9))));
    expect((await whole).every(Boolean)).toBe(true);
    fill.release();
  });
});

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RangeSet } from '../../src/policy/byte-range.ts';
import { openPartFile, type PartFileOptions } from '../../src/storage/part-file.ts';
import { findPart, type PartRecord, writeRecord } from '../../src/storage/part-record.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { temporaryDirectory } from './directories.ts';

const size = 1000;
const bytes = generatedBytes('part', 0, size);
const record = { url: 'http://files.test/x', etag: '"v1"', size, pid: 1 };
const sha256 = createHash('sha256').update(bytes).digest('hex');
const meta = {
  status: 200,
  headers: [],
  vary: [],
  requestTime: 0,
  responseTime: 0,
  body: { sha256, size },
};

async function place() {
  const dir = await temporaryDirectory();
  const target = join(dir, 'x');
  const open = (options: Partial<PartFileOptions> = {}) =>
    openPartFile({ target, record, ...options });
  return { dir, target, open, files: async () => (await readdir(dir)).sort() };
}

test('whatever order ranges come in, and wherever it is interrupted, the file is right', async () => {
  const cuts = fc.uniqueArray(fc.integer({ min: 1, max: size - 1 }), { maxLength: 12 });
  const property = fc.asyncProperty(
    cuts,
    fc.infiniteStream(fc.nat()),
    fc.nat(),
    async (at, random, stop) => {
      const edges = [0, ...at.sort((a, b) => a - b), size];
      const ranges = edges.slice(1).map((end, i) => ({ first: edges[i] as number, last: end - 1 }));
      const shuffled = ranges
        .map((range) => ({ range, key: random.next().value as number }))
        .sort((a, b) => a.key - b.key)
        .map(({ range }) => range);
      const { target, open, files } = await place();
      const first = await open();
      const before = shuffled.slice(0, stop % (shuffled.length + 1));
      for (const { first: from, last } of before) first.write(from, bytes.subarray(from, last + 1));
      await first.discard();
      const found = await findPart(target);
      const there = new RangeSet();
      for (const range of before) there.add(range);
      if (before.length === 0) expect(found).toBe('none');
      else expect(found).toMatchObject({ record: { ...record, ranges: there.ranges() } });
      const second = await open({ ranges: there.ranges() });
      for (const range of there.missing({ first: 0, last: size - 1 })) {
        second.write(range.first, bytes.subarray(range.first, range.last + 1));
      }
      await second.commit('x', meta);
      expect((await readFile(target)).equals(bytes)).toBe(true);
      expect(await files()).toEqual(['x']);
    },
  );
  await fc.assert(property, { numRuns: 40 });
});

test('what was written is read from memory or from the file, also what an earlier attempt left', async () => {
  const { open } = await place();
  const first = await open();
  first.write(0, bytes.subarray(0, 500));
  await first.discard();
  const second = await open({ ranges: [{ first: 0, last: 499 }] });
  second.write(500, bytes.subarray(500));
  const read = Buffer.alloc(size);
  for (let at = 0; at < size; ) at += await second.read(at, read.subarray(at));
  expect(read.equals(bytes)).toBe(true);
  await second.discard();
});

test('a body that is not whole is not put in its place', async () => {
  const { open, files } = await place();
  const part = await open();
  part.write(0, bytes.subarray(0, 500));
  await expect(part.commit('x', meta)).rejects.toMatchObject({ code: 'proxy_internal_error' });
  await part.discard();
  expect(await files()).toEqual(['x.part', 'x.part.json']);
});

test('where the record cannot be written the earlier one holds, and says what is kept', async () => {
  const { dir, target, open } = await place();
  const part = await open();
  part.write(0, bytes.subarray(0, 500));
  await part.discard();
  const again = await open({ ranges: [{ first: 0, last: 499 }] });
  // A folder lies where the record is to be written.
  await mkdir(join(dir, 'x.part.json.new'));
  again.write(500, bytes.subarray(500, 600));
  await again.discard();
  expect(again.kept).toBe(500);
  expect(again.saveFailure).toMatchObject({ code: 'EISDIR' });
  expect(await findPart(target)).toMatchObject({ record: { ranges: [{ first: 0, last: 499 }] } });
});

test('on a full disk the end of the part gives way to its record', async () => {
  const { target, open } = await place();
  const long = generatedBytes('long', 0, 200_000);
  const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  let refusals = 1;
  const part = await open({
    record: { ...record, size: 400_000 },
    writeRecord: async (...written) => {
      refusals -= 1;
      if (refusals >= 0) throw full;
      await writeRecord(...written);
    },
  });
  part.write(0, long);
  await part.discard();
  const kept = 200_000 - 64 * 1024;
  expect(part.kept).toBe(kept);
  expect(await findPart(target)).toMatchObject({
    record: { ranges: [{ first: 0, last: kept - 1 }] },
  });
  expect((await readFile(`${target}.part`)).equals(long.subarray(0, kept))).toBe(true);
});

describe('a record', () => {
  const full: PartRecord = {
    ...record,
    digest: { algorithm: 'sha256', hex: sha256 },
    ranges: [{ first: 0, last: 9 }],
  };

  test('is found as it was written', async () => {
    const { target } = await place();
    await writeRecord(target, full);
    await writeFile(`${target}.part`, bytes);
    expect(await findPart(target)).toEqual({ record: full, touchedAt: expect.any(Number) });
  });

  test.each([
    ['no JSON', '{'],
    ['of something else', '{"url":"http://files.test/x","pid":1}'],
    ['a list', '[]'],
    ['without a URL', '{"millrace":1,"pid":1}'],
  ])('that is %s is none of ours', async (_what, text) => {
    const { target } = await place();
    await writeFile(`${target}.part`, bytes);
    await writeFile(`${target}.part.json`, text);
    expect(await findPart(target)).toBe('foreign');
  });

  test('whose ranges make no sense has none', async () => {
    const { target } = await place();
    await writeFile(`${target}.part`, bytes);
    for (const ranges of [
      [[5, 4]],
      [[0, size]],
      [
        [0, 9],
        [9, 12],
      ],
      [[-1, 3]],
      [['0', 3]],
      'all',
      [[0]],
    ]) {
      const text = JSON.stringify({ millrace: 1, ...record, ranges });
      await writeFile(`${target}.part.json`, text);
      expect(await findPart(target)).toMatchObject({ record: { ranges: [] } });
    }
  });
});

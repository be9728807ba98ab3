import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { HashTask, HashThread } from '../../src/pipeline/hash-thread.ts';
import { temporaryDirectory } from '../storage/directories.ts';
import { generatedBytes, generatedSha256 } from '../support/generated-bytes.ts';
import { openWorkers } from '../support/leaks.ts';
import { until } from '../support/until.ts';
import { dying, hashThread, silent, startingBytes } from './hash-threads.ts';

const mebibyte = 2 ** 20;
const size = 9 * mebibyte;

function begun(thread: HashThread, bytes = startingBytes): HashTask {
  const task = thread.begin(bytes);
  if (!task) throw new Error('there is no thread');
  return task;
}

test('bodies are hashed as their files grow, each up to what is said to be there', async () => {
  const { thread } = hashThread();
  const folder = await temporaryDirectory();
  begun(thread).drop();
  const bodies = await Promise.all(
    ['one', 'two', 'three'].map(async (seed) => {
      const path = join(folder, seed);
      const bytes = generatedBytes(seed, 0, size);
      await writeFile(path, bytes.subarray(0, 5 * mebibyte));
      const task = begun(thread, size);
      expect(task.prefix.bytes).toBe(0);
      task.wrote(path, 3 * mebibyte + 1);
      return { seed, path, bytes, task };
    }),
  );
  for (const { seed, path, bytes, task } of bodies) {
    expect(await task.reaches(3 * mebibyte + 1)).toBe(true);
    const sha256 = generatedSha256(seed, 3 * mebibyte + 1);
    expect(task.prefix).toEqual({ bytes: 3 * mebibyte + 1, sha256 });
    await appendFile(path, bytes.subarray(5 * mebibyte));
    task.wrote(path, size);
  }
  for (const { seed, task } of bodies) {
    expect(await task.reaches(size)).toBe(true);
    expect(task.prefix).toEqual({ bytes: size, sha256: generatedSha256(seed, size) });
    expect(task.failed).toBe(false);
  }
});

test('a file that cannot be read concerns its own body only', async () => {
  const { thread, logged } = hashThread();
  const path = join(await temporaryDirectory(), 'there');
  const bytes = generatedBytes('there', 0, startingBytes);
  await writeFile(path, bytes);
  const [gone, short, there] = [begun(thread), begun(thread), begun(thread)];
  gone.wrote(`${path}-not`, mebibyte);
  short.wrote('/dev/null', mebibyte);
  there.wrote(path, startingBytes);
  expect(await gone.reaches(mebibyte)).toBe(false);
  expect(await short.reaches(mebibyte)).toBe(false);
  expect(await there.reaches(startingBytes)).toBe(true);
  expect([gone.failed, short.failed, there.failed]).toEqual([true, true, false]);
  expect(there.prefix.sha256).toBe(generatedSha256('there', startingBytes));
  expect(logged).toEqual([]);
});

test('it starts with a body that is worth it, and takes smaller ones with it', async () => {
  const { thread } = hashThread();
  expect(thread.begin(startingBytes - 1)).toBeUndefined();
  expect(openWorkers()).toBe(0);
  begun(thread);
  expect(thread.begin(startingBytes - 1)).toBeDefined();
  await until(() => openWorkers() === 1, 'a thread runs');
});

test('without work it ends by itself, and it starts again', async () => {
  const { thread } = hashThread({ idleMs: 1 });
  for (const _round of [1, 2]) {
    const task = begun(thread);
    await until(() => openWorkers() === 1, 'a thread runs');
    task.drop();
    await until(() => openWorkers() === 0, 'the thread has ended');
    expect(thread.begin(1)).toBeUndefined();
  }
});

test('what a thread that dies leaves, and all that comes later, is for others; that is said once', async () => {
  const { thread, logged } = hashThread({ entry: dying });
  const [one, other] = [begun(thread), begun(thread)];
  one.wrote('/dev/null', 1);
  expect(await Promise.all([one.reaches(1), other.reaches(1)])).toEqual([false, false]);
  expect([one.failed, other.failed]).toEqual([true, true]);
  expect(thread.begin(startingBytes)).toBeUndefined();
  expect(logged).toHaveLength(1);
});

test('a thread that cannot be started is done without', () => {
  const { thread, logged } = hashThread({ entry: new URL('http://example.com/not-a-file') });
  expect(thread.begin(startingBytes)).toBeUndefined();
  expect(logged).toHaveLength(1);
});

test('while it is far behind it gets no other bodies', () => {
  const { thread } = hashThread({ entry: silent });
  const task = begun(thread, 2 ** 30);
  task.wrote('/dev/null', 256 * mebibyte);
  expect(thread.begin(startingBytes)).toBeDefined();
  task.wrote('/dev/null', 256 * mebibyte + 1);
  expect(thread.begin(startingBytes)).toBeUndefined();
  task.drop();
  expect(thread.begin(startingBytes)).toBeDefined();
});

test('at the end what is whole is waited for, and nothing else', async () => {
  // However little of the processor it gets.
  const { thread } = hashThread({ graceMs: 60_000 });
  const path = join(await temporaryDirectory(), 'whole');
  await writeFile(path, generatedBytes('whole', 0, startingBytes));
  const [whole, part] = [begun(thread), begun(thread)];
  part.wrote(path, 2);
  const reached = whole.reaches(startingBytes);
  const finished = thread.finished();
  whole.wrote(path, startingBytes);
  await finished;
  expect(await reached).toBe(true);
  expect(whole.prefix.sha256).toBe(generatedSha256('whole', startingBytes));
  await thread.close();
  expect(part.failed).toBe(true);
  expect(thread.begin(startingBytes)).toBeUndefined();
});

test('at the end it is waited for no longer than that', async () => {
  const { thread } = hashThread({ entry: silent, graceMs: 1 });
  const task = begun(thread);
  const reached = task.reaches(startingBytes);
  task.wrote('/dev/null', startingBytes);
  await thread.finished();
  expect(await reached).toBe(false);
});

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openMirrorMemory } from '../../src/upstream/mirror-memory.ts';
import { temporaryFolder } from '../support/gateway.ts';

async function open(memory: object, folder?: string) {
  const data = folder ?? (await temporaryFolder());
  const path = join(data, 'mirrors.json');
  const troubles: unknown[] = [];
  const file = openMirrorMemory(path, { memory: () => memory, onTrouble: (e) => troubles.push(e) });
  onTestFinished(() => file.close());
  return { file, path, data, troubles };
}

it('keeps what there is, and replaces the file as a whole', async () => {
  const memory = { a: 1 };
  const { file, path, data } = await open(memory);
  expect(await file.load()).toEqual({ kind: 'nothing' });
  await file.save();
  memory.a = 2;
  await file.close();
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ a: 2 });
  expect(await file.load()).toEqual({ kind: 'memory', memory: { a: 2 } });
  expect(await readdir(data)).toEqual(['mirrors.json']);
});

it('says once that it cannot be written', async () => {
  const memory = { a: 1 };
  const { file, troubles } = await open(memory, '/nowhere/at/all');
  await file.save();
  memory.a = 2;
  await file.save();
  expect(troubles).toEqual([expect.objectContaining({ code: 'ENOENT' })]);
});

it.each(['{"a":', '', `"${'x'.repeat(5_000_000)}"`])(
  'what cannot be read is told apart from nothing',
  async (text) => {
    const { file, path } = await open({});
    await writeFile(path, text);
    expect(await file.load()).toMatchObject({ kind: 'unreadable' });
  },
);

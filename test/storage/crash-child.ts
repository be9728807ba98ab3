import { createDiskStore } from '../../src/storage/engines/disk.ts';
import { commit, sample } from './bodies.ts';

/** Stores bodies without end and prints each key once it is stored; it is there to be killed. */
const [dir = '', seed = ''] = process.argv.slice(2);
const sizes = [0, 300, 20_000, 70_000, 400_000];
const store = await createDiskStore({ dir, maxBytes: 32 * 1024 * 1024 });

async function work(worker: number): Promise<void> {
  for (let i = 0; ; i++) {
    const key = `http://a.test/${seed}/${worker}/${i}`;
    await commit(
      store,
      key,
      sample(key, sizes[(i + worker) % sizes.length] ?? 0),
      undefined,
      30_000,
    );
    process.stdout.write(`${key}\n`);
    // Some are shared, some replaced, some removed: every kind of write may be cut off.
    if (i % 4 === 1)
      await commit(store, `${key}/again`, sample(key, sizes[(i + worker) % sizes.length] ?? 0));
    if (i % 7 === 3) await store.delete(`http://a.test/${seed}/${worker}/${i - 2}/again`);
  }
}

await Promise.all([0, 1, 2, 3].map(work));

import { createDiskStore } from '../../src/storage/engines/disk.ts';
import { createMemoryStore } from '../../src/storage/engines/memory.ts';
import { createTiers } from '../../src/storage/tiers.ts';
import { temporaryDirectory } from './directories.ts';
import { storeConformance } from './store-conformance.ts';

const mebibyte = 1024 * 1024;

storeConformance('memory', async () => createMemoryStore({ maxBytes: 16 * mebibyte }));

storeConformance('disk', async () =>
  createDiskStore({ dir: await temporaryDirectory(), maxBytes: 16 * mebibyte }),
);

storeConformance('tiers', async () =>
  createTiers(
    createMemoryStore({ maxBytes: 4 * mebibyte }),
    await createDiskStore({ dir: await temporaryDirectory(), maxBytes: 16 * mebibyte }),
  ),
);

storeConformance('tiers without a disk', async () =>
  createTiers(createMemoryStore({ maxBytes: 16 * mebibyte }), undefined),
);

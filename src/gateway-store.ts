import type { Config } from './config/config.ts';
import type { Logger } from './core/logger.ts';
import { createDiskStore } from './storage/engines/disk.ts';
import type { MemoryStore } from './storage/memory-store.ts';
import { createTiers, type TieredStore } from './storage/tiers.ts';

/** Memory over disk; memory alone, and said so, where the disk cannot be used. */
export async function openStore(
  memory: MemoryStore,
  config: Config,
  log: Logger,
): Promise<TieredStore> {
  const disk = await createDiskStore({
    dir: config.data,
    maxBytes: config.disk,
    onTrouble: (reason) => log.error({ reason, data: config.data }, 'disk store in trouble'),
  });
  return createTiers(memory, disk);
}

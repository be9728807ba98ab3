import type { ArtifactMeta, BodyRef } from '../core/artifact-meta.ts';
import type { BodyReader, ByteRange } from '../core/body.ts';
import { LookupCounter } from '../core/cache-lookups.ts';
import type { Held } from '../core/held.ts';
import { readBytes } from './bytes-reader.ts';
import type { Holding } from './holding.ts';
import type { LowerStore } from './lower-store.ts';
import type { MemoryStore } from './memory-store.ts';
import { isStorageError } from './storage-error.ts';
import type {
  Leftover,
  PartialBody,
  PartialIdentity,
  PurgeSelector,
  Store,
  StoreHealth,
  StoreStats,
} from './store.ts';
import { TierLoader } from './tier-loader.ts';
import { TierPartial } from './tier-partial.ts';

/** A store of which the hot part is in memory. */
export type TieredStore = Store & Holding;

/**
 * Memory in front of the disk. The disk decides what is stored; memory follows its changes in their
 * order, so it never serves what the disk was told to forget. When the disk fails, reads are misses
 * and small responses live in memory alone. Without a disk the memory tier is the store.
 */
export function createTiers(memory: MemoryStore, disk: LowerStore | undefined): TieredStore {
  return disk ? new Tiers(memory, disk) : memory;
}

class Tiers implements TieredStore {
  readonly #memory: MemoryStore;
  readonly #disk: LowerStore;
  readonly #loader: TierLoader;
  /** Of what memory may hold: records, and bodies that are not too large for it. */
  readonly #records = new LookupCounter('records');
  readonly #bodies = new LookupCounter('bodies');

  constructor(memory: MemoryStore, disk: LowerStore) {
    this.#memory = memory;
    this.#disk = disk;
    this.#loader = new TierLoader(memory, disk);
    disk.listen({
      changed: (key, variants) => {
        this.#loader.outdate(key);
        memory.setRecords(key, variants);
      },
      evicted: (key) => {
        this.#loader.outdate(key);
        memory.forgetWithoutBodies(key);
      },
    });
  }

  get turn(): number {
    return this.#memory.turn;
  }

  peek(key: string): readonly ArtifactMeta[] | undefined {
    return this.hold(key)?.value;
  }

  hold(key: string): Held<readonly ArtifactMeta[]> | undefined {
    const held = this.#memory.hold(key);
    if (held) {
      this.#disk.touch(key);
      // What is not there is asked for by `get`, which counts it.
      this.#records.count(true);
    }
    return held;
  }

  get(key: string): Promise<readonly ArtifactMeta[]> | readonly ArtifactMeta[] {
    const variants = this.peek(key);
    if (variants) return variants;
    this.#records.count(false);
    return this.#loader.records(key);
  }

  async put(key: string, meta: ArtifactMeta): Promise<void> {
    try {
      await this.#disk.put(key, meta);
    } catch (error) {
      if (!isStorageError(error)) throw error;
      await this.#memory.put(key, meta);
    }
  }

  peekBody(body: BodyRef): Uint8Array | undefined {
    return this.holdBody(body)?.value;
  }

  holdBody(body: BodyRef): Held<Uint8Array> | undefined {
    const held = this.#memory.holdBody(body);
    if (held) this.#bodies.count(true);
    return held;
  }

  countHeld(withBody: boolean): void {
    this.#records.count(true);
    if (withBody) this.#bodies.count(true);
  }

  peekReader(body: BodyRef, range?: ByteRange, lead?: Uint8Array): BodyReader | undefined {
    // What memory may hold is brought there first.
    if (body.size <= this.#memory.maxBodyBytes) return undefined;
    return this.#disk.peekReader(body, range, lead, this.#memory.pieces(body));
  }

  peekPart(body: BodyRef, range: ByteRange): readonly Uint8Array[] | undefined {
    return this.#memory.pieces(body)?.part(range);
  }

  async openBody(body: BodyRef, range?: ByteRange): Promise<BodyReader | undefined> {
    const bytes = this.peekBody(body);
    if (bytes) return readBytes(bytes, range);
    if (body.size <= this.#memory.maxBodyBytes) this.#bodies.count(false);
    const reader = await this.#loader.open(body, range);
    if (!reader) this.#memory.forgetBody(body);
    return reader;
  }

  begin(size: number | undefined, identity?: PartialIdentity): Promise<PartialBody> {
    return this.#disk.begin(size, identity).then(
      (partial) => new TierPartial(partial, this.#memory),
      (error) => {
        if (!isStorageError(error)) throw error;
        return this.#memory.begin(size);
      },
    );
  }

  leftovers(key: string): Promise<readonly Leftover[]> | readonly Leftover[] {
    return this.#disk.leftovers(key);
  }

  async delete(key: string): Promise<boolean> {
    return (await this.purge({ key })) > 0;
  }

  /** Memory first: it has forgotten also when the disk then fails, which is thrown. */
  async purge(selector: PurgeSelector): Promise<number> {
    this.#loader.outdateAll();
    const inMemory = await this.#memory.purge(selector);
    const onDisk = await this.#disk.purge(selector);
    this.#loader.outdateAll();
    await this.#memory.purge(selector);
    return Math.max(inMemory, onDisk);
  }

  stats(): StoreStats {
    const tiers = [this.#memory.stats(), this.#disk.stats()];
    const sum = (of: (tier: StoreStats) => number) => tiers.reduce((all, one) => all + of(one), 0);
    return {
      name: 'tiers',
      entries: Math.max(...tiers.map((tier) => tier.entries)),
      bytes: sum((tier) => tier.bytes),
      maxBytes: sum((tier) => tier.maxBytes),
      partialBytes: sum((tier) => tier.partialBytes),
      evictions: sum((tier) => tier.evictions),
      tiers,
      lookups: [this.#records, this.#bodies, this.#memory.pieceLookups],
    };
  }

  health(): StoreHealth {
    const disk = this.#disk.health();
    return disk.ok ? this.#memory.health() : disk;
  }

  async close(): Promise<void> {
    await this.#disk.close();
    await this.#memory.close();
  }
}

import type { ArtifactMeta, BodyRef } from '../../core/artifact-meta.ts';
import type { BodyReader, ByteRange } from '../../core/body.ts';
import { Roster } from '../../core/roster.ts';
import type { BodyPieces } from '../body-pieces.ts';
import { emptyBody, requireBodyRef, requireSize } from '../body-ref.ts';
import type { LowerPartial, LowerStore, StoreListener } from '../lower-store.ts';
import { storageFailed } from '../storage-error.ts';
import type {
  Leftover,
  PartialIdentity,
  PurgeSelector,
  StoreHealth,
  StoreStats,
} from '../store.ts';
import { bodyCharge, inBlocks, openBodyCharge } from './disk-charges.ts';
import type { Continued } from './disk-leftovers.ts';
import { DiskPartial } from './disk-partial.ts';
import { minResumedBytes } from './disk-partial-log.ts';
import type { DiskParts } from './disk-parts.ts';
import { DiskSmallPartial, type SmallPartialHost } from './disk-small-partial.ts';
import type { Reservation } from './disk-space.ts';

/** Keys that one purging job removes. */
const keysPerPurge = 64;
/** What a body of unknown size reserves at a time, in bytes. */
const minStepBytes = 64 * 1024;
const maxStepBytes = 4 * 1024 * 1024;

/** The disk tier: records and small bodies in SQLite, larger bodies in files by content. */
export class DiskStore implements LowerStore {
  /** Settles when what an earlier run left behind is tidied up, or the store was closed. */
  readonly swept: Promise<void>;
  readonly #parts: DiskParts;
  readonly #partials = new Roster<DiskPartial | DiskSmallPartial>();
  /** One object for all small bodies. */
  readonly #smallHost: SmallPartialHost = {
    commit: (key, meta, source, reservation) =>
      this.#parts.committer.commit(key, meta, source, reservation),
    fileFor: (bytes) => this.#parts.fileMaker.whole(bytes),
    ended: (partial) => {
      this.#partials.delete(partial);
      this.#parts.wholeBodies.give(partial.size);
    },
  };
  readonly #stepBytes: number;
  #closed = false;
  #replacing = false;

  /** `wasClosed`: the last user of the database closed it, so its counters are right. */
  constructor(parts: DiskParts, wasClosed: boolean) {
    this.#parts = parts;
    const share = inBlocks(parts.space.maxBytes / 64);
    this.#stepBytes = Math.min(maxStepBytes, Math.max(minStepBytes, share));
    parts.trouble.onCorrupt = () => this.#replaceDatabase();
    this.swept = this.#sweep(!wasClosed);
  }

  peek(): undefined {
    return undefined;
  }

  peekBody(body: BodyRef): Uint8Array | undefined {
    return body.size === 0 ? emptyBody : undefined;
  }

  get(key: string): Promise<readonly ArtifactMeta[]> | readonly ArtifactMeta[] {
    const { index, records, useLog } = this.#parts;
    try {
      this.#check();
      // What has no entry has no record: most keys that are asked for here are new.
      if (!index.has(key)) return [];
    } catch (error) {
      return Promise.reject(error);
    }
    return records.get(key).then((variants) => {
      if (variants.length > 0) useLog.note(key);
      return variants;
    });
  }

  async put(key: string, meta: ArtifactMeta): Promise<void> {
    this.#check();
    requireBodyRef(meta.body);
    await this.#parts.committer.put(key, meta);
  }

  peekReader(
    body: BodyRef,
    range?: ByteRange,
    lead?: Uint8Array,
    pieces?: BodyPieces,
  ): BodyReader | undefined {
    return this.#closed ? undefined : this.#parts.opener.peek(body, range, lead, pieces);
  }

  peekPart(): undefined {
    return undefined;
  }

  async openBody(
    body: BodyRef,
    range?: ByteRange,
    pieces?: BodyPieces,
  ): Promise<BodyReader | undefined> {
    this.#check();
    return this.#parts.opener.open(body, range, pieces);
  }

  leftovers(key: string): Promise<readonly Leftover[]> | readonly Leftover[] {
    const { leftovers } = this.#parts;
    if (this.#closed || leftovers.none || !this.health().ok) return [];
    return leftovers.of(key).catch((error) => {
      this.#noteBackground(error);
      return [];
    });
  }

  async begin(size: number | undefined, identity?: PartialIdentity): Promise<LowerPartial> {
    this.#check();
    requireSize(size);
    const { leftovers, makeRoom, trouble, inlineBytes, space } = this.#parts;
    const { wholeBodies, writer, fileMaker } = this.#parts;
    const reservedBytes = size ?? inlineBytes;
    const charge = size === undefined ? openBodyCharge(inlineBytes) : bodyCharge(size);
    // The medium had less space than the bound allows: make some before trying again.
    if (trouble.full) await makeRoom(charge);
    if (size !== undefined && wholeBodies.take(size)) {
      // What is small stays in memory until it is committed, and that may take its time.
      const eased = writer.eased();
      if (eased) await eased;
      const held =
        space.reserveNow(charge, 'partial') ??
        (await wholeBodies.unlessFails(size, space.reserve(charge, 'partial')));
      const small = new DiskSmallPartial(size, held, this.#smallHost);
      this.#partials.add(small);
      return small;
    }
    const resumable = identity && size !== undefined && size > minResumedBytes;
    const continued = resumable ? await leftovers.begin(identity, size) : undefined;
    const log = continued?.log;
    const reservation = await this.#reserve(charge, continued);
    const partial: DiskPartial = new DiskPartial({
      size,
      inlineBytes,
      stepBytes: this.#stepBytes,
      reservation,
      reservedBytes,
      makeFile: (limit) => fileMaker.make(limit, continued),
      ...(log && { log }),
      keep: (written) => {
        this.#partials.delete(partial);
        return log ? leftovers.keep(log, written, reservation) : written;
      },
      commit: (key, meta, source) => this.#parts.committer.commit(key, meta, source, reservation),
      onEnd: () => {
        this.#partials.delete(partial);
        if (log) leftovers.end(log).catch((error) => this.#noteBackground(error));
      },
      onFailure: (error) => this.#noteBackground(error),
    });
    this.#partials.add(partial);
    return partial;
  }

  async delete(key: string): Promise<boolean> {
    return (await this.purge({ key })) > 0;
  }

  async purge(selector: PurgeSelector): Promise<number> {
    this.#check();
    const { index, jobs, catalog, vacuum, leftovers } = this.#parts;
    await leftovers.purge(selector);
    let maxId: number | undefined;
    let keys = 0;
    for (let found = keysPerPurge; found === keysPerPurge; keys += found) {
      found = await jobs.run(async (change) => {
        // What was to be stored before the purge is there by now; what comes while it goes on is newer.
        maxId ??= index.lastEntryId();
        const entries = index.select(selector, maxId, keysPerPurge);
        for (const entry of entries) {
          await catalog.remove(change, entry);
          change.change(entry.key, []);
        }
        return entries.length;
      });
    }
    await jobs.removed();
    vacuum.run().catch((error) => this.#noteBackground(error));
    return keys;
  }

  touch(key: string): void {
    if (!this.#closed) this.#parts.useLog.note(key);
  }

  listen(listener: StoreListener): void {
    this.#parts.jobs.listener = listener;
  }

  stats(): StoreStats {
    const { jobs, space } = this.#parts;
    return {
      name: 'disk',
      entries: jobs.entries,
      bytes: space.bytes,
      maxBytes: space.maxBytes,
      partialBytes: space.partialBytes,
      evictions: jobs.evictions,
    };
  }

  health(): StoreHealth {
    return this.#parts.trouble.health;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { sweep, useLog, jobs, writer, index, database, leftovers, openFiles } = this.#parts;
    sweep.stop();
    openFiles.close();
    await Promise.all([this.swept, this.#parts.committer.over()]);
    try {
      await Promise.allSettled([...this.#partials].map((partial) => partial.suspend()));
      await leftovers.settled();
      await useLog.flush();
      await jobs.run(async () => index.setClosed(true));
    } finally {
      await writer.idle();
      await jobs.removed();
      database.close();
    }
  }

  /** Space for the whole: what is left of it has some already. */
  async #reserve(charge: number, continued: Continued | undefined): Promise<Reservation> {
    const { space, leftovers } = this.#parts;
    const held = continued?.held;
    try {
      if (!held) return await space.reserve(charge, 'partial');
      if (charge > held.bytes) await held.grow(charge - held.bytes);
      return held;
    } catch (error) {
      if (held && continued) await leftovers.keep(continued.log, Promise.resolve(), held);
      else if (continued) await leftovers.end(continued.log);
      throw error;
    }
  }

  #check(): void {
    if (this.#closed) throw storageFailed('the store is closed');
    this.#parts.trouble.check();
  }

  async #sweep(checkTotals: boolean): Promise<void> {
    try {
      await this.#parts.sweep.run(checkTotals);
      if (!this.#closed) await this.#parts.vacuum.run();
    } catch (error) {
      this.#noteBackground(error);
    }
  }

  /** The damaged database is put aside; what is on its way goes on and is stored in the new one. */
  #replaceDatabase(): void {
    if (this.#replacing) return;
    this.#replacing = true;
    const { writer, database, index, jobs, space, trouble } = this.#parts;
    writer.between(async () => {
      try {
        database.replace();
        index.setClosed(false);
        jobs.count(space);
        void this.#sweep(false);
      } catch (error) {
        trouble.giveUp(error);
      } finally {
        this.#replacing = false;
      }
    });
  }

  #noteBackground(error: unknown): void {
    this.#parts.trouble.note(error, 'database');
  }
}

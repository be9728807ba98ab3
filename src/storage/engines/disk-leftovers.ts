import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import type { ByteRange } from '../../core/body.ts';
import { RangeSet } from '../../policy/byte-range.ts';
import type { Leftover, PartialIdentity, PurgeSelector } from '../store.ts';
import { bodyCharge } from './disk-charges.ts';
import type { DiskFiles } from './disk-files.ts';
import type { DiskJobs } from './disk-jobs.ts';
import type { DiskLeftoverRows, LeftoverRow } from './disk-leftover-rows.ts';
import { DiskPartialLog, minResumedBytes } from './disk-partial-log.ts';
import type { DiskSpace, Reservation } from './disk-space.ts';
import type { DiskTrouble } from './disk-trouble.ts';
import { allocatedBytes, removeFile } from './file-io.ts';
import { isSame, isSelected, selectsSame } from './leftover-match.ts';
import type { Piece } from './piece-map.ts';

/** How long what is left of a body is kept, in milliseconds. */
const keptMs = 24 * 60 * 60 * 1000;
const maxLeftovers = 256;

export interface DiskLeftoversOptions {
  readonly rows: DiskLeftoverRows;
  readonly jobs: DiskJobs;
  readonly files: DiskFiles;
  readonly space: () => DiskSpace;
  readonly trouble: DiskTrouble;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

interface Entry extends LeftoverRow {
  readonly held: Reservation;
}

/** What a new partial body with an identity goes on with. */
export interface Continued {
  readonly log: DiskPartialLog;
  readonly path: string;
  /** What is held for it already; undefined for a new one. */
  readonly held: Reservation | undefined;
}

/**
 * Partial bodies that nobody works on, to be taken up by a later transfer of the same representation:
 * those of an earlier run, and those that broke off in this one. They count against the bound, and
 * are the first to go.
 */
export class DiskLeftovers {
  readonly #options: DiskLeftoversOptions;
  /** The oldest first. */
  readonly #idle = new Map<string, Entry>();
  readonly #live = new Map<string, DiskPartialLog>();
  /** Bodies that are being laid aside or removed, by id: the key of each, and until when. */
  readonly #pending = new Map<string, { readonly key: string; readonly over: Promise<void> }>();

  constructor(options: DiskLeftoversOptions) {
    this.#options = options;
  }

  /** Takes stock of what an earlier run left: a row and a look at the file for each. */
  async load(): Promise<void> {
    const { rows, space, trouble } = this.#options;
    const lost: string[] = [];
    const onUnreadable = (id: string): void => {
      trouble.report('what was noted of a partial body could not be read and is forgotten');
      lost.push(id);
    };
    for (const row of rows.all(onUnreadable)) {
      const allocated = await this.#allocated(row.id);
      if (allocated === undefined) lost.push(row.id);
      else {
        const held = space().adopt(Math.min(allocated, bodyCharge(row.size)));
        this.#idle.set(row.id, { ...row, held });
      }
    }
    if (lost.length > 0) await this.#forgetRows(lost);
  }

  /** Whether nothing is left of any key, nor being laid aside. */
  get none(): boolean {
    return this.#idle.size + this.#pending.size === 0;
  }

  /** What is left of the key, the latest first. */
  async of(key: string): Promise<readonly Leftover[]> {
    await this.settled(key);
    await this.#dropWhere((entry) => this.#isExpired(entry));
    const found = [...this.#idle.values()].filter(({ identity }) => identity.key === key);
    return found.reverse().map(({ size, identity, pieces }) => {
      return { ...identity, size, missing: missingOf(pieces, size) };
    });
  }

  /** Begins a body that can be taken up later, with what is left of the same one. */
  async begin(identity: PartialIdentity, size: number): Promise<Continued> {
    const { files } = this.#options;
    await this.settled(identity.key);
    await this.#dropWhere((entry) => this.#isExpired(entry));
    const found = [...this.#idle.values()].findLast((entry) => isSame(entry, identity, size));
    // Known as one or the other at every moment: the sweep removes what is neither.
    const log = found && this.#newLog(found.id, size, identity, found.pieces);
    if (found) this.#idle.delete(found.id);
    // Another version of what it is now: of no use any more.
    await this.#dropWhere((entry) => selectsSame(entry.identity, identity));
    if (found && log) {
      const path = files.resumablePartial(log.id);
      if ((await this.#allocated(log.id)) !== undefined) return { log, path, held: found.held };
      this.#live.delete(log.id);
      await this.#remove(found);
    }
    const fresh = this.#newLog(randomUUID(), size, identity, []);
    return { log: fresh, path: files.resumablePartial(fresh.id), held: undefined };
  }

  /** The body is stored, or of no use. */
  async end(log: DiskPartialLog): Promise<void> {
    this.#live.delete(log.id);
    await log.forget();
  }

  /**
   * Lays a body aside once `written` says that nothing is written to it any more. Resolves when it
   * can be taken up, or is removed because it is not worth that.
   */
  async keep(log: DiskPartialLog, written: Promise<void>, held: Reservation): Promise<void> {
    await this.#pend(log, async () => {
      await written;
      await log.suspend();
      this.#live.delete(log.id);
      const allocated = await this.#allocated(log.id);
      held.shrinkTo(allocated ?? 0);
      const entry = { ...log.row(), held };
      const worthwhile = !log.forgotten && log.bytes >= minResumedBytes;
      if (worthwhile && allocated !== undefined) this.#idle.set(log.id, entry);
      else await this.#remove(entry);
    });
    const [oldest] = this.#idle.keys();
    if (this.#idle.size > maxLeftovers) await this.#dropWhere(({ id }) => id === oldest);
  }

  /** Frees about that many bytes, the oldest first; false when there was nothing to free. */
  async evict(bytes: number): Promise<boolean> {
    let freed = 0;
    const dropped = await this.#dropWhere(({ held }) => {
      if (freed >= bytes) return false;
      freed += held.bytes;
      return true;
    });
    return dropped > 0;
  }

  /** Nothing that the selector names is taken up any more, what is arriving now included. */
  async purge(selector: PurgeSelector): Promise<void> {
    for (const log of this.#live.values()) {
      if (isSelected(log.identity, selector)) await this.end(log);
    }
    await this.settled();
    await this.#dropWhere(({ identity }) => isSelected(identity, selector));
  }

  /** Removes what is too old, and files that nobody knows. */
  async sweep(): Promise<void> {
    const { files } = this.#options;
    await this.#dropWhere((entry) => this.#isExpired(entry));
    for (const id of await readdir(files.resumable)) {
      const known = this.#idle.has(id) || this.#live.has(id) || this.#pending.has(id);
      if (!known) await removeFile(files.resumablePartial(id));
    }
  }

  /** Resolves when nothing (of the key) is being laid aside or removed. */
  async settled(key?: string): Promise<void> {
    for (;;) {
      const pending = [...this.#pending.values()].filter(
        (it) => key === undefined || it.key === key,
      );
      if (pending.length === 0) return;
      await Promise.allSettled(pending.map(({ over }) => over));
    }
  }

  /** Bytes that the file takes; undefined when it is not to be had. */
  async #allocated(id: string): Promise<number | undefined> {
    try {
      return await allocatedBytes(this.#options.files.resumablePartial(id));
    } catch (error) {
      this.#options.trouble.note(error, 'files');
      return undefined;
    }
  }

  #isExpired({ noted }: Entry): boolean {
    return this.#options.now() - noted > keptMs;
  }

  #newLog(
    id: string,
    size: number,
    identity: PartialIdentity,
    pieces: readonly Piece[],
  ): DiskPartialLog {
    const { rows, jobs, now, trouble } = this.#options;
    const onFailure = (error: unknown) => trouble.note(error, 'database');
    const log = new DiskPartialLog({ id, size, identity, pieces, rows, jobs, now, onFailure });
    this.#live.set(id, log);
    return log;
  }

  /** How many entries were dropped. */
  async #dropWhere(matches: (entry: Entry) => boolean): Promise<number> {
    const doomed = [...this.#idle.values()].filter(matches);
    for (const { id } of doomed) this.#idle.delete(id);
    for (const entry of doomed) await this.#pend(entry, () => this.#remove(entry));
    return doomed.length;
  }

  /** The row first: what has no row is swept at the next start. */
  async #remove({ id, held }: Entry): Promise<void> {
    try {
      await this.#forgetRows([id]);
      await removeFile(this.#options.files.resumablePartial(id));
    } catch (error) {
      throw this.#options.trouble.note(error, 'files');
    } finally {
      held.release();
    }
  }

  async #forgetRows(ids: readonly string[]): Promise<void> {
    const { jobs, rows } = this.#options;
    await jobs.run(async () => {
      for (const id of ids) rows.remove(id);
    });
  }

  async #pend(
    { id, identity: { key } }: { readonly id: string; readonly identity: PartialIdentity },
    work: () => Promise<void>,
  ): Promise<void> {
    const over = work().finally(() => this.#pending.delete(id));
    this.#pending.set(id, { key, over });
    await over;
  }
}

function missingOf(pieces: readonly ByteRange[], size: number): readonly ByteRange[] {
  const there = new RangeSet();
  for (const piece of pieces) there.add(piece);
  return there.missing({ first: 0, last: size - 1 });
}

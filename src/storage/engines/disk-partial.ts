import type { ArtifactMeta } from '../../core/artifact-meta.ts';
import type { HashedBody } from '../../core/body.ts';
import { requireBodyRef } from '../body-ref.ts';
import { Extents } from '../extents.ts';
import type { LowerPartial } from '../lower-store.ts';
import { SmallBody } from '../small-body.ts';
import { bodyMissing, misuse } from '../storage-error.ts';
import type { GrowingFile, ResumedBytes } from '../store.ts';
import { inBlocks } from './disk-charges.ts';
import type { PartialFile } from './disk-partial-file.ts';
import type { DiskPartialLog } from './disk-partial-log.ts';
import type { Reservation } from './disk-space.ts';

/** What a committed partial body brings: its bytes when it is small, its file when it is not. */
export type PartialSource = { readonly bytes: Uint8Array } | { readonly file: PartialFile };

export interface DiskPartialOptions {
  /** Announced size in bytes; undefined: unknown. */
  readonly size: number | undefined;
  /** Bodies up to this many bytes stay in memory until they are committed. */
  readonly inlineBytes: number;
  /** How much more to reserve at a time when the size is unknown, in bytes. */
  readonly stepBytes: number;
  /** What is reserved for it already. */
  readonly reservation: Reservation;
  /** Body bytes that the reservation is good for. */
  readonly reservedBytes: number;
  readonly makeFile: (limit: number) => PartialFile;
  /** With it the body can be taken up later. */
  readonly log?: DiskPartialLog;
  /** Lays the body aside when `written` resolves, with its reservation. */
  readonly keep: (written: Promise<void>) => Promise<void>;
  /** Stores the body and its record, both or neither, and settles the reservation. */
  readonly commit: (key: string, meta: ArtifactMeta, source: PartialSource) => Promise<void>;
  /** It was committed or discarded. */
  readonly onEnd: () => void;
  /** Something failed that no caller waits for. */
  readonly onFailure: (error: unknown) => void;
}

type Tell = Parameters<ResumedBytes['check']>[0];

/** How long a body whose commit failed is kept for readers that lag behind, in milliseconds. */
export const lingerMs = 30_000;

/**
 * A body on its way to the disk that is large, or may turn out to be: in memory while it is small, in
 * a file from then on. `DiskSmallPartial` is for the others.
 */
export class DiskPartial implements LowerPartial {
  readonly resumed: ResumedBytes | undefined;
  readonly file: GrowingFile | undefined;
  readonly #options: DiskPartialOptions;
  readonly #extents = new Extents();
  #small: SmallBody | undefined;
  #file: PartialFile | undefined;
  #state: 'open' | 'committing' | 'committed' | 'discarded' | 'suspended' = 'open';
  #failure: Error | undefined;
  #laidAside = false;
  #committing: Promise<void> | undefined;
  /** End of the furthest byte given, and of what there is space for. */
  #end = 0;
  #reserved: number;
  #isGrowing = false;
  #linger: NodeJS.Timeout | undefined;

  constructor(options: DiskPartialOptions) {
    this.#options = options;
    this.#reserved = options.reservedBytes;
    const { size, inlineBytes, log, makeFile } = options;
    if (size === undefined) this.#small = new SmallBody(size, inlineBytes);
    else this.file = this.#growing();
    if (!log || log.unchecked.length === 0) return;
    for (const { first, last } of log.unchecked) this.#extents.add(first, last + 1);
    this.#file = makeFile(this.#reserved);
    this.resumed = { pieces: log.unchecked, check: (tell) => this.#check(log, tell) };
  }

  get failure(): Error | undefined {
    return this.#failure ?? (this.#ended ? undefined : this.#file?.failure);
  }

  write(position: number, chunk: Uint8Array): boolean {
    if (this.#state !== 'open' || this.failure || chunk.length === 0) return true;
    const end = position + chunk.length;
    const { size, inlineBytes } = this.#options;
    if (size !== undefined && end > size) throw misuse('a body is longer than announced');
    this.#extents.add(position, end);
    if (this.#small && end <= inlineBytes) {
      this.#small.write(position, chunk);
      return true;
    }
    this.#end = Math.max(this.#end, end);
    if (size === undefined) this.#growAhead();
    const file = this.#file ?? this.#spill(position);
    return file.write(position, chunk);
  }

  provenBy(hash: HashedBody): void {
    this.#options.log?.provenBy(hash);
  }

  async drained(): Promise<void> {
    if (!this.#failure) await this.#file?.drained();
  }

  async read(position: number, target: Uint8Array): Promise<number> {
    if (this.#extents.endFrom(position) === position) throw misuse('byte was never written');
    if (target.length === 0) throw misuse('there is no room to read into');
    this.#linger?.refresh();
    if (this.#small) return this.#small.read(position, target, this.#extents);
    if (!this.#file) throw bodyMissing('the body was discarded');
    return this.#file.read(position, target, this.#extents);
  }

  inMemory(size: number): Uint8Array | undefined {
    return this.#extents.isWhole(size) ? this.#small?.whole(size) : undefined;
  }

  async commit(key: string, meta: ArtifactMeta): Promise<ArtifactMeta> {
    requireBodyRef(meta.body);
    if (this.#laidAside) throw bodyMissing('the body was laid aside: its store is being closed');
    if (this.#state !== 'open') throw misuse('the partial body was ended before');
    if (this.failure) throw this.failure;
    const { log } = this.#options;
    if (log && log.unchecked.length > 0) throw misuse('resumed bytes were not checked');
    if (!this.#extents.isWhole(meta.body.size)) throw misuse('the body is not complete');
    this.#state = 'committing';
    this.#committing = this.#commit(key, meta);
    try {
      await this.#committing;
    } catch (error) {
      this.#state = 'open';
      this.#linger = setTimeout(() => this.#giveUp(), lingerMs).unref();
      throw error;
    }
    this.#state = 'committed';
    this.#options.onEnd();
    return meta;
  }

  /** While a commit is on its way it decides; afterwards only the open file is let go. */
  async discard(): Promise<void> {
    if (this.#state === 'committing' || this.#ended) return;
    clearTimeout(this.#linger);
    if (this.#state === 'open') {
      this.#state = 'discarded';
      this.#options.onEnd();
    }
    try {
      await this.#file?.discard();
    } finally {
      this.#options.reservation.release();
    }
  }

  async suspend(): Promise<void> {
    const file = this.#file;
    const { log, keep } = this.#options;
    this.#laidAside = true;
    // Whoever closes the store closes it for a commit that has only just begun, too.
    if (this.#state === 'committing') await Promise.allSettled([this.#committing]);
    if (this.#state !== 'open' || !file || !log || this.failure) return this.discard();
    clearTimeout(this.#linger);
    this.#state = 'suspended';
    await keep(file.suspend());
  }

  release(): void {
    this.#file?.release();
  }

  #growing(): GrowingFile {
    const file = () => this.#file;
    const extents = this.#extents;
    return {
      get path() {
        return file()?.path;
      },
      get written() {
        return file()?.written(extents) ?? 0;
      },
      flushed: async () => file()?.flushed(),
    };
  }

  get #ended(): boolean {
    return this.#state === 'discarded' || this.#state === 'suspended';
  }

  async #check(log: DiskPartialLog, tell: Tell): Promise<void> {
    const file = this.#file as PartialFile;
    const read = (at: number, target: Uint8Array) => file.read(at, target, this.#extents);
    await log.check(read, (piece, intact) => {
      if (this.#state !== 'open') return false;
      if (!intact) this.#extents.remove(piece.first, piece.last + 1);
      tell(piece, intact);
      return true;
    });
  }

  #giveUp(): void {
    this.discard().catch(this.#options.onFailure);
  }

  async #commit(key: string, meta: ArtifactMeta): Promise<void> {
    await this.#options.commit(key, meta, await this.#source(meta.body.size));
  }

  async #source(size: number): Promise<PartialSource> {
    if (this.#small) return { bytes: this.#small.whole(size) };
    const file = this.#file as PartialFile;
    await file.sync();
    return { file };
  }

  /** The body is too large for memory: what is there goes to a file. */
  #spill(exceptAt: number): PartialFile {
    const small = this.#small;
    const file = this.#options.makeFile(this.#reserved);
    this.#file = file;
    this.#small = undefined;
    for (const { start, end } of small ? this.#extents.all() : []) {
      const last = start <= exceptAt && exceptAt < end ? exceptAt : end;
      if (last > start) file.write(start, (small as SmallBody).part(start, last));
    }
    return file;
  }

  /** Reserves the next step before it is needed; what has no space yet waits in memory. */
  #growAhead(): void {
    const { stepBytes, reservation } = this.#options;
    if (this.#isGrowing || this.#end + stepBytes / 2 <= this.#reserved) return;
    const more = Math.max(stepBytes, inBlocks(this.#end - this.#reserved));
    this.#isGrowing = true;
    reservation.grow(more).then(
      () => {
        this.#isGrowing = false;
        this.#reserved += more;
        this.#file?.allow(this.#reserved);
        this.#growAhead();
      },
      (error: Error) => this.#refuse(error),
    );
  }

  /** There is no space for more: the body ends here, what was given stays readable. */
  #refuse(error: Error): void {
    this.#isGrowing = false;
    // What is reserved may still be enough for a body that has ended.
    if (this.#end <= this.#reserved) return;
    this.#failure ??= error;
    this.#file?.fail(error);
  }
}

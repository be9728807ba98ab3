import type { ArtifactMeta, BodyRef } from '../../core/artifact-meta.ts';
import { bodyMissing } from '../storage-error.ts';
import { mountOf, withVariant } from '../variants.ts';
import type { DiskChange } from './disk-change.ts';
import { bodyCharge, recordCharge } from './disk-charges.ts';
import type { BodyRow, DiskIndex, EntryRow } from './disk-index.ts';
import type { DiskRecords } from './disk-records.ts';
import type { DiskUses } from './disk-uses.ts';

/**
 * What is stored under which key: keeps the records, the index and the references to bodies in step.
 * Every method belongs into a job of the writer.
 */
export class DiskCatalog {
  readonly #records: DiskRecords;
  readonly #index: DiskIndex;
  readonly #uses: DiskUses;

  constructor(records: DiskRecords, index: DiskIndex, uses: DiskUses) {
    this.#records = records;
    this.#index = index;
    this.#uses = uses;
  }

  /**
   * Adds the row of a body that no key refers to yet; `data` when it is inline. Its id, undefined when
   * there is one already.
   */
  addBody(change: DiskChange, body: BodyRef, data: Uint8Array | undefined): number | undefined {
    const bytes = bodyCharge(body.size);
    const id = this.#index.addBody(body.sha256, body.size, bytes, data);
    if (id !== undefined) change.bytes += bytes;
    return id;
  }

  /** The id of a body that is stored; undefined for an empty one. Throws `stored_body_missing`. */
  bodyOf({ body: { sha256, size } }: ArtifactMeta): number | undefined {
    if (size === 0) return undefined;
    const body = this.#index.body(sha256);
    if (body?.size === size) return body.id;
    throw bodyMissing('a record needs its body to be stored before it');
  }

  /**
   * Adds a response to its key; `body` is the id of its body, undefined where that is empty, `bytes` what
   * the key counts for with this response alone (`recordCharge`).
   */
  async store(
    change: DiskChange,
    key: string,
    meta: ArtifactMeta,
    body: number | undefined,
    bytes: number,
  ): Promise<void> {
    // Most keys are new, which is found out by adding them.
    const only = [meta];
    const columns = { mount: meta.mount, bytes, used: this.#uses.now() };
    const written = await this.#records.add(key, only, columns, body);
    if (this.#records.added(written)) {
      change.bytes += bytes;
      change.entries++;
      change.change(key, only);
      return;
    }
    const variants = withVariant(await this.#records.get(key), meta);
    const entry = this.#index.entry(key) as EntryRow;
    await this.#replace(change, entry, variants);
    // First, so that a body which replaces the only other one is the only one.
    this.#dropUnnamed(change, entry.id, variants);
    if (body !== undefined) this.#index.addRef(entry.id, body);
  }

  /** Forgets a key and the bodies that only it used. */
  async remove(change: DiskChange, entry: EntryRow): Promise<void> {
    const bodies = this.#index.bodiesOf(entry.id);
    await this.#records.delete(entry.key);
    this.#index.removeRefs(entry.id);
    for (const body of bodies) this.#dropUnused(change, body);
    change.bytes -= entry.bytes;
    change.entries--;
  }

  /** Forgets a body that is not there any more, and the responses that have it. */
  async forget(change: DiskChange, body: BodyRow): Promise<void> {
    for (const key of this.#index.keysOf(body.id)) {
      const variants = await this.#records.get(key);
      const rest = variants.filter((meta) => meta.body.sha256 !== body.sha256);
      const entry = this.#index.entry(key) as EntryRow;
      if (rest.length > 0) {
        await this.#replace(change, entry, rest);
        this.#dropUnnamed(change, entry.id, rest);
      } else {
        await this.remove(change, entry);
        change.change(key, rest);
      }
    }
  }

  /** Writes the record and the entry of a known key. */
  async #replace(
    change: DiskChange,
    { key, bytes: before }: EntryRow,
    variants: readonly ArtifactMeta[],
  ): Promise<void> {
    const bytes = recordCharge(key, variants);
    const columns = { mount: mountOf(variants), bytes, used: this.#uses.now() };
    await this.#records.set(key, variants, columns);
    change.bytes += bytes - before;
    change.change(key, variants);
  }

  /** Removes the references that no variant needs, and the bodies that nothing else refers to. */
  #dropUnnamed(change: DiskChange, entry: number, variants: readonly ArtifactMeta[]): void {
    for (const body of this.#index.bodiesOf(entry)) {
      if (variants.some((meta) => meta.body.sha256 === body.sha256)) continue;
      this.#index.removeRef(entry, body.id);
      this.#dropUnused(change, body);
    }
  }

  #dropUnused(change: DiskChange, body: BodyRow): void {
    if (this.#index.hasRefs(body.id)) return;
    this.#index.removeBody(body);
    change.bytes -= body.bytes;
    if (!body.inline) change.doom({ sha256: body.sha256, bytes: body.bytes });
  }
}

import { hash } from 'node:crypto';
import type { ArtifactMeta } from '../core/artifact-meta.ts';
import type { DigestList } from '../core/classification.ts';
import { type Digest, strongestDigest } from '../core/digest.ts';
import type { Logger } from '../core/logger.ts';
import type { Store } from '../storage/store.ts';
import { derivedPrefix } from './derive.ts';
import { DigestTableMaker, digestsFor, partFor } from './digest-table.ts';
import type { Fill } from './fill.ts';
import { codingsFor, decodedDocument } from './rewrite-stream.ts';
import { unpackedFile } from './unpacked-file.ts';

export interface DigestTablesOptions {
  readonly store: Store;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What brings a list. */
type ListFill = Pick<Fill, 'complete' | 'settled'>;

/**
 * The digests of large lists, such as the indexes of a Linux distribution: of each list that comes into
 * the store a table is made, once for each version, and stored beside it. Those of one root are variants
 * under one key, so that a file is looked up in all of them. Never fails: without a table nothing is said.
 */
export class DigestTables {
  readonly #options: DigestTablesOptions;
  readonly #arriving = new Set<{ readonly root: string; readonly fill: ListFill }>();
  /** Tables that are being made, by root; one at a time, so that they take the memory of one. */
  readonly #making = new Map<string, Promise<void>>();
  #last: Promise<void> = Promise.resolve();

  constructor(options: DigestTablesOptions) {
    this.#options = options;
  }

  /** Makes the table of a list once its bytes are stored. */
  follow(list: DigestList, fill: ListFill): void {
    const arriving = { root: list.root, fill };
    this.#arriving.add(arriving);
    void fill.settled.then((document) => {
      this.#arriving.delete(arriving);
      if (document) this.#add(list, document);
    });
  }

  #add(list: DigestList, document: ArtifactMeta): void {
    const { root, id } = list;
    const made = this.#last.then(async () => {
      try {
        await this.#make(list, document);
      } catch (err) {
        // What cannot be read says nothing: files are served as without it.
        this.#options.log.warn({ url: root, list: id, err }, 'no table of digests made');
      }
    });
    this.#last = made;
    this.#making.set(root, made);
    void made.then(() => {
      if (this.#making.get(root) === made) this.#making.delete(root);
    });
  }

  /** The digest that the lists with these roots give for a URL; undefined: none, or several. */
  async find(url: string, roots: readonly string[]): Promise<Digest | undefined> {
    const found: Digest[] = [];
    for (const root of roots) {
      if (!url.startsWith(root)) continue;
      try {
        await this.#made(root);
        found.push(...(await this.#digests(root, url.slice(root.length))));
      } catch (err) {
        this.#options.log.warn({ url, err }, 'no digest taken from a table');
      }
    }
    return strongestDigest(found);
  }

  /** Whoever has just read a list may be here before it is stored, and before its table is. */
  async #made(root: string): Promise<void> {
    for (const each of this.#arriving) {
      if (each.root === root && each.fill.complete) await each.fill.settled;
    }
    await this.#making.get(root);
  }

  async #digests(root: string, name: string): Promise<readonly Digest[]> {
    const { store } = this.#options;
    const key = keyOf(root);
    const digests: Digest[] = [];
    for (const { body } of store.peek(key) ?? (await store.get(key))) {
      const reader = await store.openBody(body, partFor(name, body.size));
      if (!reader) continue;
      const chunks: Buffer[] = [];
      try {
        for (let chunk = await reader.next(); chunk; chunk = await reader.next()) {
          chunks.push(Buffer.from(chunk));
        }
      } finally {
        reader.close();
      }
      digests.push(...digestsFor(name, Buffer.concat(chunks)));
    }
    return digests;
  }

  async #make(list: DigestList, document: ArtifactMeta): Promise<void> {
    const { store, now } = this.#options;
    const key = keyOf(list.root);
    const derivedFrom = document.body.sha256;
    const vary = [['digests-of', list.id]] as const;
    const known = await store.get(key);
    if (known.some((each) => each.derivedFrom === derivedFrom && each.vary[0]?.[1] === list.id)) {
      return;
    }
    const table = await this.#tableOf(list, document);
    if (!table) return;
    const { mount } = document;
    const times = { requestTime: now(), responseTime: now() };
    const body = { sha256: hash('sha256', table), size: table.length };
    const meta = { status: 200, headers: [], vary, ...times, body, derivedFrom };
    const partial = await store.begin(table.length);
    try {
      for (let at = 0; at < table.length; at += partBytes) {
        if (!partial.write(at, table.subarray(at, at + partBytes))) await partial.drained();
      }
      await partial.commit(key, { ...meta, ...(mount !== undefined && { mount }) });
    } catch (error) {
      await partial.discard();
      throw error;
    } finally {
      partial.release();
    }
  }

  async #tableOf(list: DigestList, { body, headers }: ArtifactMeta): Promise<Buffer | undefined> {
    const reader = await this.#options.store.openBody(body);
    if (!reader) return undefined;
    const maker = new DigestTableMaker();
    const lister = list.create(maker.add);
    try {
      const { gunzip } = codingsFor(headers, []);
      for await (const chunk of unpackedFile(decodedDocument(reader, gunzip))) lister.push(chunk);
    } finally {
      reader.close();
    }
    lister.end();
    return maker.table();
  }
}

/** Bytes of a table that are written at once. */
const partBytes = 64 * 1024;

function keyOf(root: string): string {
  return `${derivedPrefix(root)}digests`;
}

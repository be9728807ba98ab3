import type { ArtifactMeta } from '../../src/core/artifact-meta.ts';
import type { BodyReader } from '../../src/core/body.ts';
import { Fill } from '../../src/pipeline/fill.ts';
import type { FillOptions, FillSource } from '../../src/pipeline/fill-contract.ts';
import { createMemoryStore } from '../../src/storage/engines/memory.ts';
import type { PartialBody, Store } from '../../src/storage/store.ts';

export const key = 'http://origin.test/file';

export const head: Omit<ArtifactMeta, 'body'> = {
  status: 200,
  headers: ['ETag', '"v1"'],
  vary: [],
  requestTime: 0,
  responseTime: 0,
};

/** A source that does nothing by itself and remembers what it was told. */
export class ManualSource implements FillSource {
  readonly told: string[] = [];
  #wake: (() => void) | undefined;

  /** Resolves at the next `resume`. */
  resumed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  resume(): void {
    this.told.push('resume');
    this.#wake?.();
  }
  checked(): void {
    this.told.push('checked');
  }
  want(position: number): void {
    this.told.push(`want ${position}`);
  }
  narrow(): void {
    this.told.push('narrow');
  }
  abort(): void {
    this.told.push('abort');
  }
}

export interface FillFixture {
  readonly fill: Fill;
  readonly source: ManualSource;
  readonly store: Store;
  readonly failures: unknown[];
}

/** A fill into a memory store, or into the given partial body (undefined: none). */
export async function fillFixture(
  options: Partial<FillOptions> & { partial?: PartialBody | undefined } = {},
): Promise<FillFixture> {
  const store = createMemoryStore({ maxBytes: 64 * 2 ** 20, maxBodyBytes: 8 * 2 ** 20 });
  const failures: unknown[] = [];
  const partial = 'partial' in options ? options.partial : await store.begin(options.size);
  const fill = new Fill({
    key,
    size: undefined,
    meta: (body) => ({ ...head, body }),
    onFailure: (error) => failures.push(error),
    ...options,
    partial,
  });
  const source = new ManualSource();
  fill.connect(source);
  return { fill, source, store, failures };
}

/** All that is left of a reader, copied. */
export async function readAll(reader: BodyReader): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let chunk = await reader.next(); chunk; chunk = await reader.next()) {
    chunks.push(Buffer.from(chunk));
  }
  reader.close();
  return Buffer.concat(chunks);
}

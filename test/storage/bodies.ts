import { createHash } from 'node:crypto';
import type { ArtifactMeta } from '../../src/core/artifact-meta.ts';
import type { BodyReader } from '../../src/core/body.ts';
import type { Store } from '../../src/storage/store.ts';
import { generatedBytes } from '../support/generated-bytes.ts';

export interface Sample {
  readonly bytes: Uint8Array;
  readonly meta: ArtifactMeta;
}

/** A body of `size` bytes that `seed` decides, and a record that names it. */
export function sample(seed: string, size: number, fields: Partial<ArtifactMeta> = {}): Sample {
  const bytes = generatedBytes(seed, 0, size);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const meta: ArtifactMeta = {
    status: 200,
    headers: [
      'Content-Type',
      'application/octet-stream',
      'ETag',
      `"${seed}"`,
      'X-Odd',
      'caf\u00e9',
    ],
    vary: [],
    requestTime: 1_700_000_000_000,
    responseTime: 1_700_000_000_050,
    body: { sha256, size },
    ...fields,
  };
  return { bytes, meta };
}

/** Stores the sample under the key, its body in pieces. */
export async function commit(
  store: Store,
  key: string,
  { bytes, meta }: Sample,
  announced: number | undefined = meta.body.size,
  pieceSize = 16_384,
): Promise<ArtifactMeta> {
  const partial = await store.begin(announced);
  for (let at = 0; at < bytes.length; at += pieceSize) {
    if (!partial.write(at, bytes.subarray(at, at + pieceSize))) await partial.drained();
  }
  try {
    return await partial.commit(key, meta);
  } catch (error) {
    await partial.discard();
    throw error;
  }
}

/** All that a reader gives, copied as it comes. */
export async function drain(reader: BodyReader): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let chunk = await reader.next(); chunk; chunk = await reader.next()) {
    chunks.push(Buffer.from(chunk));
  }
  reader.close();
  return Buffer.concat(chunks);
}

/** The stored body, or undefined when it is a miss. */
export async function stored(store: Store, meta: ArtifactMeta): Promise<Buffer | undefined> {
  const reader = await store.openBody(meta.body);
  return reader && drain(reader);
}

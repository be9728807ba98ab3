import type { ArtifactMeta } from '../core/artifact-meta.ts';
import type { Store } from '../storage/store.ts';
import { codingsFor, decodedDocument } from './rewrite-stream.ts';

/** Of a document no more than this is searched, decoded: what is beyond it is not found. */
const maxSearchedBytes = 128 * 1024 * 1024;

/** What takes a document's bytes until it has seen enough (true). */
interface Finder {
  push(chunk: Uint8Array): boolean;
}

/**
 * Gives a stored document's bytes, its content coding undone, to the finder; none where the body is
 * gone. Throws what reading and decoding throw.
 */
export async function searchDocument(
  store: Store,
  { body, headers }: ArtifactMeta,
  finder: Finder,
): Promise<void> {
  const { gunzip } = codingsFor(headers, []);
  const document = await store.openBody(body);
  if (!document) return;
  let searched = 0;
  try {
    for await (const chunk of decodedDocument(document, gunzip)) {
      searched += chunk.length;
      if (finder.push(chunk) || searched > maxSearchedBytes) break;
    }
  } finally {
    document.close();
  }
}

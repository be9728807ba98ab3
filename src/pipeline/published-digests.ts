import type { ArtifactMeta } from '../core/artifact-meta.ts';
import type { DigestFinder, DigestSource } from '../core/classification.ts';
import type { Digest } from '../core/digest.ts';
import type { Logger } from '../core/logger.ts';
import { fieldValue, type RawHeaders } from '../core/raw-headers.ts';
import type { Store } from '../storage/store.ts';
import type { InFlight } from './in-flight.ts';
import type { Resource } from './resource.ts';
import { codingsFor, decodedDocument } from './rewrite-stream.ts';

/** Of a document no more than this is searched, decoded: beyond it the digest is not known. */
const maxSearchedBytes = 128 * 1024 * 1024;

export interface PublishedDigestsOptions {
  readonly store: Store;
  readonly log: Logger;
}

/** Finds the digests that stored documents give for artifacts. Asks no upstream and never fails. */
export class PublishedDigests {
  readonly #options: PublishedDigestsOptions;
  readonly #inFlight: InFlight;

  constructor(options: PublishedDigestsOptions, inFlight: InFlight) {
    this.#options = options;
    this.#inFlight = inFlight;
  }

  /** The resource, with the digest that its body must have where a stored document tells it. */
  async completed(resource: Resource): Promise<Resource> {
    const { classification } = resource;
    if (classification.kind !== 'artifact' || !classification.digestFrom) return resource;
    if (classification.digest) return resource;
    const digest = await this.#look(classification.digestFrom);
    return digest ? { ...resource, classification: { ...classification, digest } } : resource;
  }

  async #look({ urls, find }: DigestSource): Promise<Digest | undefined> {
    const { store, log } = this.#options;
    for (const url of urls) {
      try {
        // Whoever has just read the document to its end may be here before it is in the store.
        await this.#inFlight.committed(url);
        for (const meta of store.peek(url) ?? (await store.get(url))) {
          const digest = meta.status === 200 && (await this.#search(meta, find()));
          if (digest) return digest;
        }
      } catch (err) {
        // What cannot be read says nothing: the artifact is served as without it.
        log.warn({ url, err }, 'no digest taken from a document');
      }
    }
    return undefined;
  }

  async #search(
    { body, headers }: ArtifactMeta,
    finder: DigestFinder,
  ): Promise<Digest | undefined> {
    const { gunzip } = codingsFor(headers, []);
    const document = await this.#options.store.openBody(body);
    if (!document) return undefined;
    let searched = 0;
    try {
      for await (const chunk of decodedDocument(document, gunzip)) {
        searched += chunk.length;
        if (finder.push(chunk) || searched > maxSearchedBytes) break;
      }
    } finally {
      document.close();
    }
    return finder.digest();
  }
}

/**
 * What a response's body must have. A published digest is that of the file: under a content coding
 * the body is something else.
 */
export function digestOf(
  { classification }: Resource,
  { status, headers }: { readonly status: number; readonly headers: RawHeaders },
): Digest | undefined {
  if (classification.kind !== 'artifact' || status !== 200) return undefined;
  const coding = fieldValue(headers, 'content-encoding')?.trim().toLowerCase() ?? 'identity';
  return coding === 'identity' ? classification.digest : undefined;
}

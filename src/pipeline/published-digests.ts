import type { DigestSource } from '../core/classification.ts';
import { type Digest, digestFromHex } from '../core/digest.ts';
import { digestFromText } from '../core/digest-text.ts';
import type { InterimSink } from '../core/interim.ts';
import type { Logger } from '../core/logger.ts';
import { fieldValue, type RawHeaders } from '../core/raw-headers.ts';
import { decide } from '../policy/decide.ts';
import type { Store } from '../storage/store.ts';
import { DigestTables } from './digest-tables.ts';
import type { Fill } from './fill.ts';
import type { FillOptions } from './fill-contract.ts';
import { type Arrival, flightKey, type InFlight, storedOf } from './in-flight.ts';
import { documentBeside, type Resource } from './resource.ts';
import { searchDocument } from './search-document.ts';

export interface PublishedDigestsOptions {
  readonly store: Store;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Asks the upstreams for a whole resource, as `Exchange.fetch` does. */
export type Fetch = (
  resource: Resource,
  stored: undefined,
  onInterim: InterimSink,
) => Promise<Arrival>;

/** Of a response what is looked at here. */
interface UpstreamHead {
  readonly status: number;
  readonly headers: RawHeaders;
}

/** Whether a document may tell the digest of the resource: `completed` looks for it. */
export function isTold({ classification }: Resource): boolean {
  if (classification.kind !== 'artifact' || classification.digest) return false;
  return classification.listedBelow !== undefined || classification.digestFrom !== undefined;
}

/** Finds the digests that documents give for artifacts. Never fails. */
export class PublishedDigests {
  readonly #options: PublishedDigestsOptions;
  readonly #inFlight: InFlight;
  readonly #tables: DigestTables;

  constructor(options: PublishedDigestsOptions, inFlight: InFlight) {
    this.#options = options;
    this.#inFlight = inFlight;
    this.#tables = new DigestTables(options);
  }

  /**
   * The resource, with the digest that its body must have where a stored document tells it, or one
   * that `fetch` brings first.
   */
  async completed(resource: Resource, fetch?: Fetch): Promise<Resource> {
    const { classification, request } = resource;
    if (classification.kind !== 'artifact' || classification.digest) return resource;
    const { digestFrom, listedBelow } = classification;
    if (listedBelow) return held(resource, await this.#tables.find(request.url, listedBelow));
    if (!digestFrom) return resource;
    let { digest, document } = await this.#look(digestFrom);
    if (!digest && fetch && (await this.#ask(resource, digestFrom.ask, fetch))) {
      ({ digest, document } = await this.#look(digestFrom));
    }
    if (!digest && document !== undefined && fetch) {
      const { url } = request;
      this.#options.log.info(
        { url, document },
        'the index has no digest of it that can be checked',
      );
    }
    return held(resource, digest);
  }

  /** Takes the digests that a fill's body gives of other files, once it is stored. */
  follow({ classification: { lists } }: Resource, fill: Fill): void {
    if (lists) this.#tables.follow(lists, fill);
  }

  /** What a fill's body has if it is to be kept: what its client expects. `forgo`: it is not. */
  keepIf(
    { classification, request: { url } }: Resource,
    response: UpstreamHead,
    forgo: () => void,
  ): Pick<FillOptions, 'keepIf'> {
    const digest = classification.kind === 'artifact' ? classification.expected : undefined;
    if (!digest || !isTheFile(classification, response)) return {};
    const otherwise = (): void => {
      forgo();
      const { log } = this.#options;
      log.warn({ url, expected: digest }, 'a body that its client does not expect is not kept');
    };
    return { keepIf: { digest, otherwise } };
  }

  /** A body from `url` was not what it must be. */
  refused({ classification }: Resource, url: string, expected: Digest | undefined): void {
    const { store, log } = this.#options;
    log.warn({ url, expected }, 'a body without the digest it must have was refused');
    // It may be what says so that is wrong: next time it is asked for again.
    const asked = classification.kind === 'artifact' ? classification.digestFrom?.ask : undefined;
    if (asked === undefined) return;
    store.delete(asked).catch((err: unknown) => log.warn({ url: asked, err }, 'not forgotten'));
  }

  /** Whether the document is in the store now that was not before. */
  async #ask(resource: Resource, url: string | undefined, fetch: Fetch): Promise<boolean> {
    // What an upstream gives to a client with credentials is that client's alone.
    if (url === undefined || fieldValue(resource.request.headers, 'authorization') !== undefined) {
      return false;
    }
    const { store, log, now } = this.#options;
    const asked = documentBeside(resource, url);
    try {
      const stored = store.peek(url) ?? (await store.get(url));
      if (decide(asked.request, stored, asked.policy, now()).kind === 'fresh') return false;
      const key = flightKey(url, asked.request.headers, []);
      const start = (onInterim: InterimSink) => fetch(asked, undefined, onInterim);
      const { arrival, leader } = this.#inFlight.join(key, start);
      const arrived = await arrival;
      if (arrived.kind === 'unshared' && leader) arrived.response.abort();
      if (arrived.kind === 'unshared' || arrived.kind === 'validated') return false;
      if (arrived.kind === 'found') return true;
      // In place of the hold that it was made with: it goes on into the store.
      if (leader && arrived.kind === 'fill') arrived.fill.release();
      await storedOf(arrived);
      return arrived.meta.status === 200;
    } catch (err) {
      // The artifact is served as without it.
      log.warn({ url, err }, 'no digest taken from a document');
      return false;
    }
  }

  /** The digest, or which document was read to no avail. */
  async #look({ urls, find }: DigestSource): Promise<{ digest?: Digest; document?: string }> {
    const { store, log } = this.#options;
    let document: string | undefined;
    for (const url of urls) {
      try {
        // Whoever has just read the document to its end may be here before it is in the store.
        await this.#inFlight.committed(url);
        for (const meta of store.peek(url) ?? (await store.get(url))) {
          if (meta.status !== 200) continue;
          const finder = find();
          await searchDocument(store, meta, finder);
          const digest = finder.digest();
          if (digest) return { digest };
          document ??= url;
        }
      } catch (err) {
        // What cannot be read says nothing: the artifact is served as without it.
        log.warn({ url, err }, 'no digest taken from a document');
      }
    }
    return document === undefined ? {} : { document };
  }
}

function held(resource: Resource, digest: Digest | undefined): Resource {
  const { classification } = resource;
  if (classification.kind !== 'artifact' || !digest) return resource;
  return { ...resource, classification: { ...classification, digest } };
}

/**
 * What a response's body must have. A published digest is that of the file: under a content coding
 * the body is something else.
 */
export function digestOf({ classification }: Resource, response: UpstreamHead): Digest | undefined {
  if (!isTheFile(classification, response)) return undefined;
  const known = classification.kind === 'artifact' ? classification.digest : undefined;
  return known ?? toldDigest(classification, response.headers);
}

/** Whether a response's body is the file that digests are of. */
function isTheFile(
  classification: Resource['classification'],
  { status, headers }: UpstreamHead,
): boolean {
  if (status !== 200) return false;
  const coding = fieldValue(headers, 'content-encoding')?.trim().toLowerCase() ?? 'identity';
  return coding === 'identity' || (classification.kind === 'artifact' && !!classification.asSent);
}

/** The digest that the response tells of its own body, where the ecosystem says by which field. */
export function toldDigest(
  { digestField }: Resource['classification'],
  headers: RawHeaders,
): Digest | undefined {
  const text = digestField === undefined ? undefined : fieldValue(headers, digestField);
  if (text === undefined) return undefined;
  const [, quoted] = /^"(.*)"$/.exec(text.trim()) ?? [];
  return quoted === undefined ? digestFromText(text.trim()) : digestFromHex('sha256', quoted);
}

/** Whether a response tells another digest of its body than the one that this must have. */
export function contradicts(
  { classification }: Resource,
  { status, headers }: UpstreamHead,
): boolean {
  if (classification.kind !== 'artifact' || !classification.digest || status !== 200) return false;
  const told = toldDigest(classification, headers);
  const { algorithm, hex } = classification.digest;
  return told !== undefined && told.algorithm === algorithm && told.hex !== hex;
}

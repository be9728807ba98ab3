import type { ArtifactMeta } from '../core/artifact-meta.ts';
import type { Pin, PinFinder, PinSource } from '../core/classification.ts';
import { GatewayError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { fieldValue } from '../core/raw-headers.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { Store } from '../storage/store.ts';
import type { Asking, Client } from './asking.ts';
import type { BackgroundRequests } from './background-requests.ts';
import { derivedPrefix } from './derive.ts';
import { GivenVersions, type Recipient } from './given-versions.ts';
import type { ObtainParts } from './obtain.ts';
import type { SelectedRepresentation } from './representation.ts';
import { belonging, namingDocument, pinned, type Resource } from './resource.ts';
import { searchDocument } from './search-document.ts';

export interface GenerationsOptions {
  readonly store: Store;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A resource, and the document that decided what it has to be. */
export interface Placed {
  readonly resource: Resource;
  readonly pinnedBy?: Resource;
  readonly fits?: string;
}

/** Whether another document may decide what the resource has to be: `placed` finds out. */
export function isNamed({ classification }: Resource): boolean {
  if (classification.kind !== 'index') return false;
  return classification.pinnedBy !== undefined || classification.fits !== undefined;
}

/**
 * Keeps together what belongs together: a document that names others by their digests (a signed
 * Release), and these. A client gets those that the version says which it was itself given, whatever
 * the upstream, or this cache, has by then; without such a version those of the one that is stored.
 */
export class Generations {
  readonly #options: GenerationsOptions;
  readonly #parts: Pick<ObtainParts, 'inFlight'>;
  readonly #behind: BackgroundRequests;
  readonly #given = new GivenVersions();

  constructor(
    options: GenerationsOptions,
    parts: Pick<ObtainParts, 'inFlight'>,
    behind: BackgroundRequests,
  ) {
    this.#options = options;
    this.#parts = parts;
    this.#behind = behind;
  }

  /** The resource as it has to be for this client. Never fails. */
  async placed(asked: Resource, record: RequestRecord, client: Client): Promise<Placed> {
    const { classification, request } = asked;
    if (classification.kind !== 'index') return { resource: asked };
    // What an upstream gives to a client with credentials is that client's alone.
    if (fieldValue(request.headers, 'authorization') !== undefined) return { resource: asked };
    const { pinnedBy: source, fits } = classification;
    if (fits !== undefined) return this.#beside(asked, fits, recipientOf(asked, record, client));
    if (!source) return { resource: asked };
    try {
      const recipient = recipientOf(asked, record, client);
      const given = this.#given.of(recipient, source.urls, this.#options.now());
      for (const { url, version } of given) {
        const meta = await this.#version(url, await version);
        const pin = meta && (await this.#find(meta, source.find(url)));
        if (pin) return { resource: pinned(asked, pin), pinnedBy: namingDocument(asked, url) };
      }
      return given.length > 0 ? { resource: asked } : await this.#byCurrent(asked, source);
    } catch (err) {
      // What cannot be read says nothing: the document is served as if nothing named it.
      this.#options.log.warn({ url: request.url, err }, 'no digest taken from a document');
      return { resource: asked };
    }
  }

  /** Remembers which version of a naming document the client gets: the shared one, or one of its own. */
  given({ resource, record, client }: Asking, shared: SelectedRepresentation | undefined): void {
    const { classification, request } = resource;
    if (classification.kind !== 'index' || !classification.names || request.method !== 'GET')
      return;
    if (shared && shared.status !== 200) return;
    const version = this.#kept(request.url, shared?.identity());
    const recipient = recipientOf(resource, record, client);
    this.#given.note(recipient, request.url, version, this.#options.now());
  }

  /** Asks for the naming document at once where what it named was not to be had. */
  failed({ pinnedBy }: Asking, error: unknown): void {
    if (!pinnedBy || !(error instanceof GatewayError) || error.code !== 'digest_mismatch') return;
    this.#behind.refresh(pinnedBy);
  }

  /** The same where that shows only at the end of a body, or after it. */
  follow(asking: Asking): void {
    const { pinnedBy, fits, resource } = asking;
    if (!pinnedBy) return;
    for (const fill of asking.held) {
      void fill.settled.then((stored) => {
        if (stored && fits !== undefined) return this.#confirm(resource, pinnedBy, fits);
        return this.failed(asking, fill.failure);
      });
    }
  }

  /** That of the version which the client was given. */
  async #beside(asked: Resource, url: string, recipient: Recipient): Promise<Placed> {
    const [given] = this.#given.of(recipient, [url], this.#options.now());
    const fits = await given?.version;
    if (fits === undefined) return { resource: asked };
    const resource = belonging(asked, versionKey(asked.request.url, fits));
    return { resource, pinnedBy: namingDocument(asked, url), fits };
  }

  /** What has come is of this version if that is still the upstream's; otherwise it is forgotten. */
  async #confirm({ request: { url } }: Resource, document: Resource, fits: string): Promise<void> {
    const { store, log } = this.#options;
    try {
      const current = await this.#behind.validated(document);
      if (current?.body.sha256 === fits) return;
    } catch (err) {
      log.warn({ url, err }, 'not known to fit');
    }
    store.delete(url).catch((err: unknown) => log.warn({ url, err }, 'not forgotten'));
  }

  /** By the version that is stored, once it is known to be the upstream's. */
  async #byCurrent(asked: Resource, source: PinSource): Promise<Placed> {
    for (const url of source.urls) {
      const [stored] = await this.#stored(url);
      const known = stored && (await this.#find(stored, source.find(url)));
      if (!known) continue;
      const document = namingDocument(asked, url);
      const meta = await this.#behind.current(document);
      const isKnown = meta?.body.sha256 === stored.body.sha256;
      const pin = isKnown ? known : meta && (await this.#find(meta, source.find(url)));
      if (pin) return { resource: pinned(asked, pin), pinnedBy: document };
    }
    return { resource: asked };
  }

  /** The version once it is stored under a key of its own; undefined: it is not. */
  async #kept(url: string, identity: Promise<string> | undefined): Promise<string | undefined> {
    const { store, log } = this.#options;
    try {
      const version = await identity;
      if (version === undefined) return undefined;
      const key = versionKey(url, version);
      if ((store.peek(key) ?? (await store.get(key))).length > 0) return version;
      // Its last byte may have come before it is in the store.
      await this.#parts.inFlight.committed(url);
      const meta = (await store.get(url)).find(({ body }) => body.sha256 === version);
      if (meta) await store.put(key, meta);
      return meta && version;
    } catch (err) {
      log.warn({ url, err }, 'version not kept');
      return undefined;
    }
  }

  async #version(url: string, version: string | undefined): Promise<ArtifactMeta | undefined> {
    if (version === undefined) return undefined;
    const { store } = this.#options;
    const key = versionKey(url, version);
    const [meta] = store.peek(key) ?? (await store.get(key));
    return meta;
  }

  async #stored(url: string): Promise<readonly ArtifactMeta[]> {
    const { store } = this.#options;
    const variants = store.peek(url) ?? (await store.get(url));
    return variants.filter(({ status }) => status === 200);
  }

  async #find(meta: ArtifactMeta, finder: PinFinder): Promise<Pin | undefined> {
    await searchDocument(this.#options.store, meta, finder);
    return finder.pin();
  }
}

function versionKey(url: string, version: string): string {
  return `${derivedPrefix(url)}version-${version}`;
}

/** Who forwards requests has one connection, and one address, for many clients. */
function recipientOf(
  { request: { headers } }: Resource,
  { client: address }: RequestRecord,
  { connection }: Client,
): Recipient {
  const forwarded = fieldValue(headers, 'x-forwarded-for') ?? fieldValue(headers, 'forwarded');
  const isForwarded = forwarded !== undefined || fieldValue(headers, 'via') !== undefined;
  return isForwarded
    ? { connection: undefined, address: `${address} ${forwarded}` }
    : { connection, address };
}

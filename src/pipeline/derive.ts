import { LookupCounter } from '../core/cache-lookups.ts';
import type { Rewrite } from '../core/classification.ts';
import { GatewayError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { PassingMap } from '../core/passing-map.ts';
import type { RawHeaders } from '../core/raw-headers.ts';
import { matchesVary } from '../policy/vary.ts';
import type { PartialBody, Store } from '../storage/store.ts';
import { Fill } from './fill.ts';
import type { FillSource } from './fill-contract.ts';
import type { HeadMeta } from './in-flight.ts';
import {
  arrivingRepresentation,
  type SelectedRepresentation,
  storedRepresentation,
  withContentEtag,
} from './representation.ts';
import { type Codings, codingsFor, rewriteStream, rewrittenFields } from './rewrite-stream.ts';

export interface DeriverOptions {
  readonly store: Store;
  readonly log: Logger;
  readonly now: () => number;
}

/**
 * Rewritten documents. Each is stored beside the document it was made from, once per version of it
 * and per rewriting, and is made while the document arrives: the first client need not wait for its
 * end.
 */
export class Deriver {
  /** A document that is being made already was found, too. */
  readonly lookups = new LookupCounter('rewritten');
  readonly #options: DeriverOptions;
  readonly #making = new PassingMap<Promise<Fill>>();
  readonly #serials = new WeakMap<Fill, number>();
  #lastSerial = 0;

  constructor(options: DeriverOptions) {
    this.#options = options;
  }

  /**
   * The rewritten representation; `url` is the document's key, `request` the client's fields.
   * `onFill` hears of the fill that brings it, if one does, in time to hold it.
   */
  async derive(
    url: string,
    rewrite: Rewrite,
    source: SelectedRepresentation,
    request: RawHeaders,
    onFill: (fill: Fill) => void,
  ): Promise<SelectedRepresentation> {
    if (source.status !== 200) return source;
    const codings = codingsFor(source.headers, request);
    const key = derivedKey(url, rewrite, codings);
    const body =
      (await this.#stored(key, source, request)) ??
      (await this.#make(key, rewrite, source, codings, onFill));
    // Of the derived record only the body counts: its freshness and fields are the document's.
    const headers = rewrittenFields(source.headers, codings);
    const { stored, ...bytes } = body;
    return withContentEtag({
      ...bytes,
      headers,
      age: source.age,
      ...(stored &&
        source.stored && { stored: { ...source.stored, body: stored.body, derivedKey: key } }),
    });
  }

  async #stored(
    key: string,
    source: SelectedRepresentation,
    request: RawHeaders,
  ): Promise<SelectedRepresentation | undefined> {
    const { store, now } = this.#options;
    if (source.sha256 === undefined) return undefined;
    const variants = store.peek(key) ?? (await store.get(key));
    const meta = variants.find(
      ({ derivedFrom, vary }) => derivedFrom === source.sha256 && matchesVary(vary, request),
    );
    if (meta) this.lookups.count(true);
    return meta && storedRepresentation(store, meta, now());
  }

  async #make(
    key: string,
    rewrite: Rewrite,
    source: SelectedRepresentation,
    codings: Codings,
    onFill: (fill: Fill) => void,
  ): Promise<SelectedRepresentation> {
    const { now } = this.#options;
    const times = { requestTime: now(), responseTime: now() };
    const head = { status: 200, headers: [], vary: source.vary, ...times };
    const id = `${key}@${source.sha256 ?? this.#serialOf(source.fill)}`;
    // No wait between the look and the entry below: whoever finds nothing here is the one who makes it.
    const pending = this.#making.get(id);
    const current = pending && (await pending);
    this.lookups.count(current?.accepts(0) === true);
    if (current?.accepts(0)) {
      onFill(current);
      return arrivingRepresentation(current, head, now());
    }
    const making = this.#start(key, rewrite, source, codings, head);
    this.#making.set(id, making);
    const forget = () => {
      if (this.#making.get(id) === making) this.#making.delete(id);
    };
    making.then((fill) => void fill.settled.then(forget), forget);
    const fill = await making;
    onFill(fill);
    // In place of the hold that it was made with.
    fill.release();
    return arrivingRepresentation(fill, head, now());
  }

  async #start(
    key: string,
    rewrite: Rewrite,
    source: SelectedRepresentation,
    codings: Codings,
    head: HeadMeta,
  ): Promise<Fill> {
    const document = await source.open();
    const fill = new Fill({
      key,
      size: undefined,
      partial: await this.#begin(key),
      meta: (body) => ({ ...head, body, derivedFrom: source.sha256 ?? source.fill?.sha256 ?? '' }),
      onFailure: (error) => this.#storageFailed(key, error),
    });
    const bytes = rewriteStream(document, rewrite.create(), codings);
    new DerivedSource(fill, bytes, () => source.identity());
    return fill;
  }

  async #begin(key: string): Promise<PartialBody | undefined> {
    try {
      return await this.#options.store.begin(undefined);
    } catch (error) {
      this.#storageFailed(key, error);
      return undefined;
    }
  }

  #storageFailed(url: string, err: unknown): void {
    this.#options.log.warn({ url, err }, 'not stored');
  }

  /** Tells documents that are still arriving apart. */
  #serialOf(fill: Fill | undefined): number {
    this.#lastSerial += 1;
    if (!fill) return this.#lastSerial;
    const serial = this.#serials.get(fill) ?? this.#lastSerial;
    this.#serials.set(fill, serial);
    return serial;
  }
}

/** Everything under a document's key, rewritten ones too, begins with this. */
export function derivedPrefix(url: string): string {
  return `${url}#`;
}

function derivedKey(url: string, rewrite: Rewrite, { gzip }: Codings): string {
  return `${derivedPrefix(url)}${rewrite.id}${gzip ? '#gzip' : ''}`;
}

/** Pumps a document's rewriting into a fill, at the fill's pace. */
class DerivedSource implements FillSource {
  readonly #fill: Fill;
  readonly #bytes: AsyncGenerator<Uint8Array>;
  readonly #proven: () => Promise<unknown>;
  #wake: (() => void) | undefined;
  #over = false;

  constructor(fill: Fill, bytes: AsyncGenerator<Uint8Array>, proven: () => Promise<unknown>) {
    this.#fill = fill;
    this.#bytes = bytes;
    this.#proven = proven;
    fill.connect(this);
    this.#pump().catch((error: unknown) => fill.fail(asGatewayError(error)));
  }

  resume(): void {
    this.#wake?.();
  }

  want(): void {
    // A document is made from its beginning: a reader far ahead waits.
  }

  narrow(): void {
    // There is only the one way through the document.
  }

  abort(): void {
    this.#over = true;
    this.#wake?.();
  }

  async #pump(): Promise<void> {
    let position = 0;
    for await (const chunk of this.#bytes) {
      if (chunk.length === 0) continue;
      const flows = this.#fill.append(position, chunk);
      position += chunk.length;
      if (!flows && !this.#over) await this.#resumed();
      if (this.#over) return;
    }
    // Whether the document was whole and right is known once its own body is proven.
    await this.#proven();
    await this.#fill.finish();
  }

  #resumed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function asGatewayError(cause: unknown): GatewayError {
  return cause instanceof GatewayError
    ? cause
    : new GatewayError('proxy_internal_error', 'the document could not be rewritten', {
        origin: 'gateway',
        cause,
      });
}

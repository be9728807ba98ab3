import type { ArtifactMeta, BodyRef } from '../core/artifact-meta.ts';
import type { ByteRange } from '../core/body.ts';
import { originOf } from '../core/canonical-url.ts';
import type { Digest } from '../core/digest.ts';
import { mayStore } from '../policy/storing.ts';
import type { PartialBody, Store } from '../storage/store.ts';
import type { DownloadedResponse } from '../upstream/downloader.ts';
import { AskingAgain, type AskingAgainOptions } from './asking-again.ts';
import { Fill } from './fill.ts';
import { anotherDigestTold } from './fill-errors.ts';
import { UpstreamFillSource } from './fill-source.ts';
import { declaredSize, showsItsEnd } from './framing.ts';
import type { HashThread } from './hash-thread.ts';
import { headMeta } from './head-meta.ts';
import type { Arrival, HeadMeta, Via } from './in-flight.ts';
import type { KnownBodies } from './known-bodies.ts';
import { contradicts, digestOf, type PublishedDigests } from './published-digests.ts';
import type { Resource } from './resource.ts';
import { beginAnew, identityOf, leadsTo } from './resume.ts';
import { selecting } from './stored-updates.ts';
import type { Transfers } from './transfers.ts';
import { mayBeWhole, takenWhole } from './whole-body.ts';

export interface SharingOptions {
  readonly store: Store;
  readonly digests: PublishedDigests;
  readonly bodies: KnownBodies;
  readonly again: AskingAgainOptions;
  /** Hears of what the store could not do: the clients do not notice. */
  readonly failed: (url: string, error: unknown) => void;
  /** Hears of each fill. */
  readonly transfers?: Pick<Transfers, 'begin'>;
  readonly hashing?: Pick<HashThread, 'begin'>;
}

/** A response that is a part of the body. */
export interface AskedPart {
  readonly range: ByteRange;
  /** Gives it up, and asks for the whole. */
  readonly again: () => Promise<Arrival>;
}

/** A response that may be shared, and what is known of it. */
interface Sharable {
  readonly resource: Resource;
  readonly response: DownloadedResponse;
  readonly via: Via;
  readonly head: HeadMeta;
  readonly size: number | undefined;
  /** What the body must have. */
  readonly digest: Digest | undefined;
  /** Where it belongs, when it is a part. */
  readonly place: AskedPart | undefined;
  /** A part was asked for in vain. */
  readonly rangesIgnored: boolean;
}

/** Turns what came for a key into something to share: a body that is here, or a fill that brings it. */
export class Sharing {
  readonly #options: SharingOptions;

  constructor(options: SharingOptions) {
    this.#options = options;
  }

  /**
   * `asked`: what the response answers, where that is no ordinary request. Fails with `digest_mismatch`
   * where it tells another digest than it must.
   */
  share(
    resource: Resource,
    response: DownloadedResponse,
    via: Via,
    asked?: AskedPart | 'ranges-ignored' | 'from-start',
  ): Promise<Arrival> | Arrival {
    const { store, digests, failed } = this.#options;
    const { request, policy } = resource;
    const place = typeof asked === 'object' ? asked : undefined;
    const verdict = mayStore({ method: 'GET', headers: request.headers }, response, policy);
    const digest = digestOf(resource, response);
    if (contradicts(resource, response)) {
      response.abort();
      response.demote('wrong-bytes');
      digests.refused(resource, response.url, digest);
      throw anotherDigestTold();
    }
    const unshared = (reason: string): Arrival | Promise<Arrival> =>
      place ? place.again() : { kind: 'unshared', via, response, reason, digest };
    if (!verdict.store) return unshared(verdict.reason);
    if (!showsItsEnd(response)) return unshared('no-length');
    const vary = selecting(resource, response.headers);
    if (vary === '*') return unshared('vary');
    const head = headMeta(resource, response, vary);
    const size = declaredSize(response.headers);
    const rangesIgnored = asked === 'ranges-ignored';
    const sharable = { resource, response, via, head, size, digest, place, rangesIgnored };
    const identity = identityOf(request.url, head, digest);
    const isAnew = asked === 'from-start';
    const begun = isAnew ? beginAnew(store, size, identity) : store.begin(size, identity);
    return begun.then(
      (partial) => this.#arrival(sharable, partial),
      (error) => {
        // Without space for the body the clients are served all the same, from memory.
        failed(request.url, error);
        return this.#arrival(sharable, undefined);
      },
    );
  }

  /** The body's way into `partial`, and to whoever waits. */
  #arrival(sharable: Sharable, partial: PartialBody | undefined): Promise<Arrival> | Arrival {
    const { resource, response, via, head, size, digest, place } = sharable;
    const key = resource.request.url;
    if (place && !leadsTo(partial, place.range.first)) return again(place, partial);
    const onFailure = failureOf(this.#options.failed, key);
    // What is left of an earlier fill is taken up by one.
    if (partial && !partial.resumed && size !== undefined && mayBeWhole(resource, size)) {
      const body = takenWhole(response, digest, { key, head, size, partial, onFailure });
      if (body) return { kind: 'whole', via, meta: head, body };
    }
    const fill = this.#fill(sharable, partial, onFailure);
    return { kind: 'fill', via, meta: head, fill };
  }

  #fill(
    { resource, response, head, size, digest, place, rangesIgnored }: Sharable,
    partial: PartialBody | undefined,
    onFailure: (error: unknown) => void,
  ): Fill {
    const { digests, bodies, again, transfers } = this.#options;
    const { request } = resource;
    const fill = new Fill({
      key: request.url,
      size,
      partial,
      meta: withBody(head),
      onFailure,
      hashing: isAwaited(resource) ? undefined : this.#options.hashing,
      ...(digest ? { digest } : digests.keepIf(resource, response, () => fill.forgo())),
    });
    bodies.follow(resource, fill);
    digests.follow(resource, fill);
    const refetch = new AskingAgain(again, resource, { size, rangesIgnored });
    const source = new UpstreamFillSource(fill, response, refetch, place?.range);
    if (digest) this.#watch(resource, { fill, source, url: response.url, digest });
    transfers?.begin({ fill, source, request, startedAt: response.requestTime });
    return fill;
  }

  /** Holds it against those who brought a body if that turns out to be another one. */
  #watch(
    resource: Resource,
    of: { fill: Fill; source: UpstreamFillSource; url: string; digest: Digest },
  ): void {
    void of.fill.settled.then(() => {
      if (of.fill.failure?.code !== 'digest_mismatch') return;
      of.source.bringers.demote('wrong-bytes', originOf(resource.request.url));
      this.#options.digests.refused(resource, of.url, of.digest);
    });
  }
}

/** What is there does not lead to the part: it has to be the whole. */
async function again(place: AskedPart, partial: PartialBody | undefined): Promise<Arrival> {
  await partial?.suspend();
  return place.again();
}

// Out here these keep what they need only: a closure keeps all that any other of its function does, and
// a fill lives until its body is stored.
function withBody(head: HeadMeta): (body: BodyRef) => ArtifactMeta {
  return (body) => ({ ...head, body });
}

function failureOf(failed: SharingOptions['failed'], url: string): (error: unknown) => void {
  return (error) => failed(url, error);
}

/** Whether somebody waits for its hash: what is made of it is known by that. */
function isAwaited({ classification }: Resource): boolean {
  const { kind } = classification;
  return kind === 'index' && (classification.rewrite ?? classification.names) !== undefined;
}

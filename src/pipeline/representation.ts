import type { ArtifactMeta } from '../core/artifact-meta.ts';
import { GatewayError } from '../core/errors.ts';
import { fieldValue } from '../core/raw-headers.ts';
import { currentAge } from '../policy/freshness.ts';
import type { Store } from '../storage/store.ts';
import { type Representation, representationFields } from './answer.ts';
import type { Fill } from './fill.ts';
import type { Arrival, HeadMeta } from './in-flight.ts';
import type { WholeBody } from './whole-body.ts';

/** Up to this size a document is awaited whole, so that its head can tell its length and ETag. */
const smallDocumentBytes = 64 * 1024;

/** A representation together with what tells its content apart from another's. */
export interface SelectedRepresentation extends Representation {
  readonly vary: HeadMeta['vary'];
  /** SHA-256 of the stored body: at once for a stored one, at its end for one that is arriving. */
  identity(): Promise<string>;
  /** The same before waiting: undefined while the body is still arriving. */
  readonly sha256: string | undefined;
  readonly fill?: Fill;
  /** Bytes of it that the upstream has brought so far. */
  readonly brought?: () => number;
}

/**
 * A representation in the store. `open` throws `stored_body_missing` when the body is gone. `confirmed`:
 * by the origin, for this very request.
 */
export function storedRepresentation(
  store: Store,
  meta: ArtifactMeta,
  now: number,
  confirmed = false,
): SelectedRepresentation {
  const { body, status, vary } = meta;
  return {
    status,
    vary,
    headers: representationFields(meta.headers),
    size: body.size,
    age: confirmed ? ageAsReceived(meta, now) : currentAge(meta, now),
    responseTime: meta.responseTime,
    stored: { meta, body },
    sha256: body.sha256,
    identity: async () => body.sha256,
    bytes: () => store.peekBody(body),
    async open(range) {
      const reader = await store.openBody(body, range);
      if (reader) return reader;
      throw new GatewayError('stored_body_missing', 'the stored body is gone', {
        origin: 'storage',
      });
    },
  };
}

/** What an exchange brought. `firstHand`: for this very request. */
export function arrivedRepresentation(
  store: Store,
  arrival: Exclude<Arrival, { kind: 'unshared' | 'found' }>,
  now: number,
  firstHand: boolean,
): SelectedRepresentation {
  switch (arrival.kind) {
    case 'fill':
      return arrivingRepresentation(arrival.fill, arrival.meta, now, firstHand);
    case 'whole':
      return wholeRepresentation(arrival.body, arrival.meta, now, firstHand);
    case 'validated':
      // The origin confirmed it for all who waited.
      return storedRepresentation(store, arrival.meta, now, true);
  }
}

/**
 * A representation that is arriving, or has just arrived. `firstHand`: this very request brought it from
 * the origin.
 */
export function arrivingRepresentation(
  fill: Fill,
  meta: HeadMeta,
  now: number,
  firstHand = false,
): SelectedRepresentation {
  return {
    status: meta.status,
    vary: meta.vary,
    headers: representationFields(meta.headers),
    size: fill.complete ? fill.present.bytes : fill.size,
    age: firstHand ? ageAsReceived(meta, now) : currentAge(meta, now),
    responseTime: meta.responseTime,
    sha256: fill.sha256,
    passing: !fill.storing,
    identity: () => identityOf(fill),
    bytes: () => undefined,
    open: (range) => fill.read(range),
    fill,
    brought: () => fill.present.brought,
  };
}

/** A representation that has just arrived with all its bytes. */
function wholeRepresentation(
  body: WholeBody,
  meta: HeadMeta,
  now: number,
  firstHand: boolean,
): SelectedRepresentation {
  const { bytes, sha256 } = body;
  return {
    status: meta.status,
    vary: meta.vary,
    headers: representationFields(meta.headers),
    size: bytes.length,
    age: firstHand ? ageAsReceived(meta, now) : currentAge(meta, now),
    responseTime: meta.responseTime,
    sha256,
    identity: async () => sha256,
    bytes: () => bytes,
    open: (range) => body.read(range),
    brought: () => bytes.length,
  };
}

/**
 * The age of what the origin gave, or confirmed, for this very request: an `Age` of ours would deny
 * that, so it has one only where the origin's response came with one. RFC 9111 section 5.1.
 */
function ageAsReceived(meta: HeadMeta, now: number): number | undefined {
  return fieldValue(meta.headers, 'age') === undefined ? undefined : currentAge(meta, now);
}

/**
 * The representation with an entity tag of its own where the origin gave none: a hash of the bytes
 * served. A document that is still arriving gets it when it is small; a larger one is not held up.
 */
export async function withContentEtag(
  selected: SelectedRepresentation,
): Promise<SelectedRepresentation> {
  if (selected.status !== 200 || fieldValue(selected.headers, 'etag') !== undefined)
    return selected;
  if (selected.fill) await firstBytes(selected.fill);
  const sha256 = selected.sha256 ?? selected.fill?.sha256;
  if (sha256 === undefined) return selected;
  return {
    ...selected,
    headers: [...selected.headers, 'ETag', contentEtag(sha256)],
    size: selected.size ?? selected.fill?.present.bytes,
  };
}

/**
 * The representation once its body is proven, where it has to be and is small: then a wrong one is an
 * error with a status. Of a larger one the last byte is held back. Throws what ended its fill.
 */
export function proven(
  selected: SelectedRepresentation,
): SelectedRepresentation | Promise<SelectedRepresentation> {
  const { fill, size = 0 } = selected;
  return fill?.isChecked && size <= smallDocumentBytes ? onceProven(selected, fill) : selected;
}

async function onceProven(
  selected: SelectedRepresentation,
  fill: Fill,
): Promise<SelectedRepresentation> {
  await firstBytes(fill);
  if (fill.failure) throw fill.failure;
  return fill.complete ? { ...selected, size: fill.present.bytes } : selected;
}

/** The representation with these request fields named in `Vary`, where they are not already. */
export function withVary(
  selected: SelectedRepresentation,
  names: readonly string[],
): SelectedRepresentation {
  const said = (fieldValue(selected.headers, 'vary') ?? '').toLowerCase().split(/[\s,]+/);
  const missing = names.filter((name) => !said.includes(name) && !said.includes('*'));
  if (missing.length === 0) return selected;
  return { ...selected, headers: [...selected.headers, 'Vary', missing.join(', ')] };
}

export function contentEtag(sha256: string): string {
  return `"${sha256.slice(0, 32)}"`;
}

async function identityOf(fill: Fill): Promise<string> {
  while (fill.sha256 === undefined) {
    if (fill.failure) throw fill.failure;
    if (fill.complete) {
      // It comes with the commit; of what is not stored nobody knows it.
      await fill.settled;
      return fill.sha256 ?? '';
    }
    await fill.progress();
  }
  return fill.sha256;
}

/** Resolves once a small body is here whole, or a larger one's beginning, or the fill has ended. */
async function firstBytes(fill: Fill): Promise<void> {
  while (!fill.complete && !fill.failure && fill.present.upTo(0) < smallDocumentBytes) {
    await fill.progress();
  }
}

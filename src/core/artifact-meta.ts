import type { RawHeaders } from './raw-headers.ts';

/** A stored body, by content. */
export interface BodyRef {
  /** SHA-256 in lower-case hexadecimal. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/** A request field that `Vary` nominated, with its normalised value then; null: it was absent. */
export type VaryField = readonly [name: string, value: string | null];

/**
 * One stored response: a variant of the resource behind a cache key. Times are milliseconds since
 * the epoch. It survives a round trip through JSON.
 */
export interface ArtifactMeta {
  readonly status: number;
  /** End-to-end response fields, byte for byte, in order. */
  readonly headers: RawHeaders;
  readonly vary: readonly VaryField[];
  /** When the request that brought (or last validated) it was sent. RFC 9111 section 4.2.3. */
  readonly requestTime: number;
  readonly responseTime: number;
  readonly body: BodyRef;
  /** The mount's path, for purging by mount. */
  readonly mount?: string;
  /** For a rewritten document: the SHA-256 of the stored body it was made from. */
  readonly derivedFrom?: string;
}

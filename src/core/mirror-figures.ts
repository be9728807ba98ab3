/** How far a mirror is believed: `verified` only what a digest or the origin's validator proves. */
export type MirrorTrust = 'full' | 'verified';

/** Why a mirror's answer was of no use, although it answered. */
export type MirrorFault =
  /** The body has not the digest that it must have. */
  | 'wrong-bytes'
  /** It ended before its length. */
  | 'short'
  /** Something other than the range that was asked for. */
  | 'ignored-range'
  /** A range of another representation: its validator or length is not the one wanted. */
  | 'changed-validator'
  /** It does not have the object. */
  | 'missing';

/** What is known of bodies of one size class. Averages are null before the first observation. */
export interface MirrorClassFigures {
  /** From the request to the head, in milliseconds. */
  readonly firstByteMs: number | null;
  /** Bytes per second on one connection that is alone. */
  readonly throughput: number | null;
  /** Between 0 and 1. */
  readonly failureRate: number | null;
  /** How many fresh observations the averages are worth. */
  readonly observations: number;
}

/** One mirror, as `/api/mirrors` and the metrics show it. */
export interface MirrorFigures {
  /** `http://host:port`. */
  readonly origin: string;
  readonly state: 'closed' | 'open' | 'half-open';
  /** ISO 8601: until when it is asked last; null while closed. */
  readonly pausedUntil: string | null;
  readonly requests: number;
  /** Requests that failed, before or after the head. */
  readonly failures: number;
  /** Body bytes. */
  readonly bytes: number;
  /** Requests that were raced here because another mirror was late. */
  readonly hedges: number;
  readonly faults: Readonly<Partial<Record<MirrorFault, number>>>;
  /** Requests under way, those that queue for a place, and the places; null: not asked yet. */
  readonly active: number;
  readonly queued: number;
  readonly concurrency: number | null;
  /** TCP and TLS, in milliseconds. */
  readonly connectMs: number | null;
  /** Throughput per connection with others beside it, as a share of that alone. */
  readonly concurrencyGain: number | null;
  /** 95th percentile of the time to the first byte, in milliseconds; null below 20 observations. */
  readonly lateMs: number | null;
  readonly classes: Readonly<Record<string, MirrorClassFigures>>;
}

export interface MirrorsFigures {
  readonly mirrors: readonly MirrorFigures[];
  readonly hedging: { readonly requests: number; readonly hedges: number };
  /** Look-ups of the URL rules. */
  readonly mapping: { readonly hits: number; readonly misses: number; readonly entries: number };
}

/** One place that an object could come from. */
export interface MirrorCandidate {
  readonly url: string;
  readonly origin: string;
  readonly trust: MirrorTrust;
  readonly region: string | null;
  readonly state: 'closed' | 'open' | 'half-open';
  /** Milliseconds to completion; null while the mirror is unknown. */
  readonly expectedMs: number | null;
  /** What it might be at best, with so few observations. */
  readonly optimisticMs: number;
  readonly observations: number;
  readonly parts: {
    readonly queueMs: number;
    readonly connectMs: number;
    readonly firstByteMs: number;
    readonly transferMs: number;
    readonly failureRate: number;
  } | null;
}

/** What would be asked for an object now, and why. */
export interface MirrorExplanation {
  readonly url: string;
  readonly expectedBytes: number;
  readonly sizeClass: string;
  /** `measured`: by expected time; `ordered`: as configured; `only`: there is no choice. */
  readonly mode: 'measured' | 'ordered' | 'only';
  /** In the order in which they would be asked. */
  readonly candidates: readonly MirrorCandidate[];
  /** Mirrors of the rules that may not serve this, and why. */
  readonly excluded: readonly { readonly origin: string; readonly reason: string }[];
  readonly choice: string;
  readonly reason: string;
}

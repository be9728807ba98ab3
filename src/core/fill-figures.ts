/** One connection's part of a body on its way. */
export interface SegmentFigures {
  /** `asked`: its head is still to come; `paused`: it waits for the store or a slow client. */
  readonly state: 'asked' | 'receiving' | 'paused';
  /** Origin of the mirror, or of whoever answered where there was no choice; null while asked. */
  readonly mirror: string | null;
  /** First and last byte that it is to bring; null: wherever the body ends. */
  readonly first: number;
  readonly last: number | null;
  /** Bytes that it has brought. */
  readonly bytes: number;
  /** Bytes per second just now; null while there is nothing to say. */
  readonly speed: number | null;
}

/** One body on its way from upstreams into the cache, as `/api/fills` shows it. */
export interface FillFigures {
  /** Counts up from 1 with the process. */
  readonly id: number;
  /** Canonical upstream URL. */
  readonly url: string;
  readonly ecosystem: string;
  /** Path of the mount that serves it; null: none does. */
  readonly mount: string | null;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Bytes of the whole body; null: the upstream did not say. */
  readonly size: number | null;
  /** Bytes that are here. */
  readonly bytes: number;
  /** Clients attached. */
  readonly readers: number;
  /** Whether it is on its way into the store, or to the clients alone. */
  readonly storing: boolean;
  /** Bytes per second, moving average; null while there is nothing to say. */
  readonly speed: number | null;
  /** Seconds to the last byte at that speed; null: nobody knows. */
  readonly etaSeconds: number | null;
  readonly segments: readonly SegmentFigures[];
}

export interface FillsFigures {
  /** How many there are; `fills` shows the oldest 256. */
  readonly active: number;
  readonly fills: readonly FillFigures[];
}

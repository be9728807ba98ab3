import type { Socket } from 'node:net';
import type { LookupCounter } from '../core/cache-lookups.ts';
import type { Routed } from './gateway-handler.ts';
import type { HitMemo, PlainFields } from './hit-memo.ts';
import type { PreparedHit } from './prepared-hit.ts';
import type { SharedReading } from './shared-reading.ts';

/** What became of a head that was not in the memo. */
export interface Looked {
  /** How it is answered from what is at hand. */
  readonly hit?: PreparedHit | undefined;
  /** Where it leads. */
  readonly routed?: Routed | undefined;
}

/** What the connections of a listener have in common. */
export interface FastShared {
  readonly memo: () => HitMemo<unknown>;
  /** Looks at a head with such fields, and remembers the hit that it is. */
  readonly look: (socket: Socket, line: string, fields: PlainFields) => Looked;
  /** What does not come out of the parser was found in the memo. */
  readonly lookups: LookupCounter;
  readonly now: () => number;
  /** What all of them read into. */
  readonly reading: SharedReading;
  /** How long who takes nothing is waited for, and who asks nothing; milliseconds. */
  readonly stalledMs: number;
  readonly idleMs: number;
}

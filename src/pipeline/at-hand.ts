import type { RequestRecord } from '../core/request-record.ts';
import { decide } from '../policy/decide.ts';
import type { Store } from '../storage/store.ts';
import { type Answer, answerAtOnce } from './answer.ts';
import { mergeOf } from './merged.ts';
import { wholeSeconds } from './record-notes.ts';
import { storedRepresentation, withVary } from './representation.ts';
import type { Resource } from './resource.ts';

/** An answer that takes no waiting, and what the request's record says of it. */
export interface AnswerAtHand {
  readonly answer: Answer;
  readonly notes: Pick<RequestRecord, 'outcome' | 'cacheStatus'>;
}

export interface AtHandOptions {
  readonly store: Store;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Answers what needs neither an upstream nor the disk nor a change of the document, as `Serve` would:
 * from a fresh response in memory.
 */
export class AtHand {
  readonly #options: AtHandOptions;

  constructor(options: AtHandOptions) {
    this.#options = options;
  }

  /** Undefined: `Serve` is to be asked. */
  answer(resource: Resource): AnswerAtHand | undefined {
    const { store, now } = this.#options;
    const { request, policy } = resource;
    if (!isPlain(resource)) return undefined;
    const variants = store.peek(request.url);
    if (variants === undefined) return undefined;
    const at = now();
    const decision = decide(request, variants, policy, at);
    if (decision.kind !== 'fresh') return undefined;
    const stored = storedRepresentation(store, decision.meta, at);
    const answer = answerAtOnce(request, withVary(stored, variedBy(resource)));
    if (answer === undefined) return undefined;
    const ttl = wholeSeconds(decision.ttl);
    const cacheStatus = ttl === undefined ? { hit: true } : { hit: true, ttl };
    return { answer, notes: { outcome: 'hit', cacheStatus } };
  }
}

/** Whether it is one stored response as that is, for whoever asks. */
function isPlain(resource: Resource): boolean {
  const { classification, places } = resource;
  if (classification.kind === 'artifact') return places === undefined;
  const { rewrite, ownEtag, names, pinnedBy, fits } = classification;
  const changed = rewrite !== undefined || ownEtag === true || mergeOf(resource) !== undefined;
  return !changed && names !== true && pinnedBy === undefined && fits === undefined;
}

function variedBy({ classification }: Resource): readonly string[] {
  if (classification.kind === 'artifact') return [];
  const { vary = [], servedVary = [] } = classification;
  return [...vary, ...servedVary];
}

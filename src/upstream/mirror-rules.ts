import { originOf } from '../core/canonical-url.ts';
import type { MirrorTrust } from '../core/mirror-figures.ts';
import type { UrlPattern, UrlTemplate } from '../core/url-pattern.ts';

/** A place that a rule sends to. */
export interface MirrorTarget {
  readonly template: UrlTemplate;
  readonly trust: MirrorTrust;
  /** Whether it may have a private address: the operator named it, and no preset. */
  readonly trusted: boolean;
  readonly region?: string;
  readonly concurrency?: number;
  /** Bytes per second. */
  readonly bandwidth?: number;
}

/** URLs of this pattern are also to be had there. */
export interface MirrorRule {
  readonly pattern: UrlPattern;
  readonly targets: readonly MirrorTarget[];
}

/** A URL that a rule made. */
export interface MappedMirror {
  readonly url: string;
  readonly target: MirrorTarget;
}

/** Results that are remembered: the segments of a large object all ask for the same. */
const mostRemembered = 4096;
const none: readonly MappedMirror[] = [];

/** The rules by the origin that they are for, with the latest results of these remembered. */
export class MirrorRules {
  readonly rules: readonly MirrorRule[];
  readonly #byOrigin: ReadonlyMap<string, readonly MirrorRule[]>;
  /** By URL, least recently used first. */
  readonly #remembered = new Map<string, readonly MappedMirror[]>();
  readonly #most: number;
  hits = 0;
  misses = 0;

  constructor(rules: readonly MirrorRule[], most = mostRemembered) {
    this.rules = rules;
    this.#byOrigin = Map.groupBy(rules, ({ pattern }) => pattern.origin);
    this.#most = most;
  }

  get remembered(): number {
    return this.#remembered.size;
  }

  /** The mirrors of a canonical URL, in the order of the rules; each origin once, never its own. */
  map(url: string): readonly MappedMirror[] {
    const own = originOf(url);
    const rules = this.#byOrigin.get(own);
    if (rules === undefined) return none;
    const known = this.#remembered.get(url);
    if (known !== undefined) {
      this.hits += 1;
      this.#remembered.delete(url);
      this.#remembered.set(url, known);
      return known;
    }
    this.misses += 1;
    const mapped = evaluate(rules, url, own);
    this.#remembered.set(url, mapped);
    if (this.#remembered.size > this.#most) {
      const [oldest] = this.#remembered.keys();
      if (oldest !== undefined) this.#remembered.delete(oldest);
    }
    return mapped;
  }
}

function evaluate(rules: readonly MirrorRule[], url: string, own: string): readonly MappedMirror[] {
  const mapped: MappedMirror[] = [];
  const taken = new Set([own]);
  for (const { pattern, targets } of rules) {
    const captures = pattern.match(url);
    if (captures === undefined) continue;
    for (const target of targets) {
      const made = target.template.expand(captures);
      if (made === undefined || taken.has(target.template.origin)) continue;
      taken.add(target.template.origin);
      mapped.push({ url: made, target });
    }
  }
  return mapped.length === 0 ? none : mapped;
}

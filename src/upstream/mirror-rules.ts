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

const none: readonly MappedMirror[] = [];

/**
 * The rules, by the origin that they are for: of all there are, few have to be tried. What they make is
 * not remembered: nearly every object is fetched once.
 */
export class MirrorRules {
  readonly #byOrigin: ReadonlyMap<string, readonly MirrorRule[]>;

  constructor(rules: readonly MirrorRule[]) {
    this.#byOrigin = Map.groupBy(rules, ({ pattern }) => pattern.origin);
  }

  /** The mirrors of a canonical URL, in the order of the rules; each origin once, never its own. */
  map(url: string): readonly MappedMirror[] {
    const own = originOf(url);
    const rules = this.#byOrigin.get(own);
    if (rules === undefined) return none;
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
    return mapped;
  }
}

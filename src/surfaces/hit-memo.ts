import type { RawHeaders } from '../core/raw-headers.ts';
import type { PreparedHit } from './prepared-hit.ts';
import { type FieldsVerdict, readFields } from './simple-fields.ts';

/** Requests whose fields mean the same: the hits by their request lines. */
export type HitsByLine = Map<string, PreparedHit>;

/** What is known of a block of field lines; `plain` where the fast path may answer. */
export interface Profile {
  readonly simple: boolean;
  readonly plain?: PlainFields;
}

/** Fields, and the hits by the request lines that they came with. */
export interface PlainFields {
  readonly headers: RawHeaders;
  readonly hits: HitsByLine;
}

/** All that the memo holds, in characters. */
const maxWeight = 12 * 1024 * 1024;
/** Longer blocks are read each time. */
const maxBlock = 4096;

const simple: Profile = { simple: true };
const other: Profile = { simple: false };

/**
 * Prepared hits by what was asked. When it is full it is given up as a whole, and `full` says so: what
 * is still asked for is soon learnt anew.
 */
export class HitMemo<Era> {
  /** What all of it was learnt under. */
  readonly era: Era;
  readonly #profiles = new Map<string, Profile>();
  readonly #hits = new Map<string, HitsByLine>();
  #weight = 0;

  constructor(era: Era) {
    this.era = era;
  }

  get full(): boolean {
    return this.#weight > maxWeight;
  }

  /** What the field lines of a head mean, as they came without the last line's end. */
  profileOf(block: string): Profile {
    const known = this.#profiles.get(block);
    if (known !== undefined) return known;
    const verdict = readFields(block);
    const profile = this.#profileFor(verdict);
    // What is not plain may hold secrets.
    if (verdict.kind === 'plain' && block.length <= maxBlock) {
      this.#profiles.set(block, profile);
      this.#weight += 2 * block.length + 300;
    }
    return profile;
  }

  find(line: string, signature: string): PreparedHit | undefined {
    return this.#hits.get(signature)?.get(line);
  }

  learn(line: string, signature: string, hit: PreparedHit): void {
    this.add(this.#hitsFor(signature), line, hit);
  }

  /** The same for requests whose fields were read here. */
  add(hits: HitsByLine, line: string, hit: PreparedHit): void {
    this.drop(hits, line);
    hits.set(line, hit);
    this.#weight += line.length + hit.weight;
  }

  /** Forgets what is not to be repeated any more. */
  drop(hits: HitsByLine, line: string): void {
    const hit = hits.get(line);
    if (hit !== undefined && hits.delete(line)) this.#weight -= line.length + hit.weight;
  }

  #profileFor(verdict: FieldsVerdict): Profile {
    switch (verdict.kind) {
      case 'plain':
        return {
          simple: true,
          plain: { headers: verdict.headers, hits: this.#hitsFor(verdict.signature) },
        };
      case 'simple':
        return simple;
      case 'other':
        return other;
    }
  }

  #hitsFor(signature: string): HitsByLine {
    let hits = this.#hits.get(signature);
    if (hits === undefined) {
      hits = new Map();
      this.#hits.set(signature, hits);
      this.#weight += signature.length + 200;
    }
    return hits;
  }
}

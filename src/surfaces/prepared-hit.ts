import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ArtifactMeta, BodyRef } from '../core/artifact-meta.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { Answer, StoredSource } from '../pipeline/answer.ts';
import { wholeSeconds } from '../pipeline/record-notes.ts';
import type { Resource } from '../pipeline/resource.ts';
import { decide } from '../policy/decide.ts';
import { nextAgeAt } from '../policy/freshness.ts';
import { answerFields } from './answer-fields.ts';
import type { ResponseFields } from './response-fields.ts';

/** What the fast path asks of the store: all of it at once, and without waiting. */
export interface HotStore {
  peek(key: string): readonly ArtifactMeta[] | undefined;
  peekBody(body: BodyRef): Uint8Array | undefined;
}

/** Up to this size head and body are joined in one pooled buffer; beyond, two to write cost less than a copy. */
const joinedBytes = 4 * 1024;

/** Takes requests of which all but this is known beforehand; `ttl` in whole seconds, undefined: for ever. */
export interface HitRecord {
  add(client: string, startedAt: number, ttl: number | undefined, aborted: boolean): void;
}

/** What all prepared hits have in common. */
export interface HitContext {
  readonly store: HotStore;
  readonly fields: ResponseFields;
  /** Where requests like that one are recorded. */
  readonly telemetry: { prepare(record: RequestRecord): HitRecord };
  /** What the HTTP server says of the connection in each answer, and the end of the head. */
  readonly ending: string;
}

export interface HitParts {
  readonly resource: Resource;
  /** As the ordinary path sends it. */
  readonly answer: Answer;
  readonly stored: StoredSource;
  /** The list that was looked up. */
  readonly variants: readonly ArtifactMeta[];
  readonly record: RequestRecord;
}

/**
 * The answer to all requests that mean what one means that was answered from memory. It holds for as
 * long as the store has the same response under its key, and that is fresh.
 */
export class PreparedHit {
  /** Characters that it keeps, about. */
  readonly weight: number;
  /** Where each request that is answered so is to be recorded. */
  readonly done: HitRecord;
  readonly #context: HitContext;
  readonly #resource: Resource;
  readonly #stored: StoredSource;
  readonly #variants: readonly ArtifactMeta[];
  readonly #status: number;
  readonly #headers: string[];
  readonly #ageAt: number;
  readonly #withBody: boolean;
  readonly #record: RequestRecord;
  #head: Buffer = Buffer.alloc(0);
  /** While `#head` says the right age and date; milliseconds since the epoch. */
  #from = 0;
  #until = 0;

  /** Undefined where the answer is not to be repeated without asking again how it is made. */
  static of(context: HitContext, hit: HitParts): PreparedHit | undefined {
    const { answer, stored, variants, record } = hit;
    const ageAt = lastField(answer.headers, 'age');
    const framed = answer.body.kind === 'none' || lastField(answer.headers, 'content-length') >= 0;
    // Not what it was made from any more: the store has changed since.
    const current = variants.includes(stored.meta);
    if (!current || ageAt < 0 || !framed || answer.body.kind === 'stream') return undefined;
    if (record.outcome !== 'hit' || record.key !== undefined) return undefined;
    if (record.error !== undefined || record.detail !== undefined) return undefined;
    return new PreparedHit(context, hit, ageAt);
  }

  private constructor(context: HitContext, hit: HitParts, ageAt: number) {
    const { resource, answer, stored, variants, record } = hit;
    this.#context = context;
    this.#resource = resource;
    this.#stored = stored;
    this.#variants = variants;
    this.#status = answer.status;
    this.#headers = [...answer.headers];
    this.#ageAt = ageAt;
    this.#withBody = answer.body.kind === 'bytes';
    const bytesOut = this.#withBody ? stored.body.size : 0;
    this.#record = { ...record, status: answer.status, bytesOut, firstByteMs: 0 };
    this.done = context.telemetry.prepare(this.#record);
    this.weight = 1_000 + 2 * answer.headers.join('').length + 200 * variants.length;
  }

  /** Whether it was made from this list. */
  isOf(variants: readonly ArtifactMeta[]): boolean {
    return variants === this.#variants;
  }

  /** Whether the store still has what it was made from, and that is fresh; notes the use. */
  holds(now: number): boolean {
    const { store } = this.#context;
    const { request } = this.#resource;
    if (store.peek(request.url) !== this.#variants) return false;
    const { derivedKey } = this.#stored;
    if (derivedKey !== undefined && store.peek(derivedKey) === undefined) return false;
    return (now < this.#until && now >= this.#from) || this.#renew(now);
  }

  /**
   * Writes the answer to the socket; `written` hears when the bytes have left the process. False, and
   * nothing is written, when the body is not in memory.
   */
  send(socket: Socket, written: (error?: Error | null) => void): boolean {
    const head = this.#head;
    if (!this.#withBody) {
      socket.write(head, written);
      return true;
    }
    const body = this.#context.store.peekBody(this.#stored.body);
    if (body === undefined) return false;
    if (body.length <= joinedBytes) {
      const message = Buffer.allocUnsafe(head.length + body.length);
      message.set(head);
      message.set(body, head.length);
      socket.write(message, written);
      return true;
    }
    socket.cork();
    socket.write(head);
    socket.write(body, written);
    socket.uncork();
    return true;
  }

  /** Remaining freshness as the answer that was sent last says it; undefined: for ever. */
  get ttl(): number | undefined {
    return this.#record.cacheStatus.ttl;
  }

  /** Makes the head anew, as the ordinary path would at `now`; false when it would not answer so. */
  #renew(now: number): boolean {
    const { fields, ending } = this.#context;
    const { request, policy } = this.#resource;
    const decision = decide(request, this.#variants, policy, now);
    if (decision.kind !== 'fresh' || decision.meta !== this.#stored.meta) return false;
    const record = this.#record;
    record.cacheStatus = { hit: true };
    const ttl = wholeSeconds(decision.ttl);
    if (ttl !== undefined) record.cacheStatus.ttl = ttl;
    this.#headers[this.#ageAt] = String(decision.age);
    const all = answerFields(this.#headers, record, fields, now);
    let text = `HTTP/1.1 ${this.#status} ${STATUS_CODES[this.#status] ?? 'unknown'}\r\n`;
    for (let i = 0; i + 1 < all.length; i += 2) text += `${all[i]}: ${all[i + 1]}\r\n`;
    this.#head = Buffer.from(text + ending, 'latin1');
    this.#from = now;
    // The date, where it is ours, and the age are told in whole seconds.
    const nextDate = (Math.floor(now / 1000) + 1) * 1000;
    this.#until = Math.min(nextDate, nextAgeAt(decision.meta, now));
    return true;
  }
}

/** Where the last such field's value is, or -1. */
function lastField(headers: readonly string[], name: string): number {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    if (headers[i]?.toLowerCase() === name) return i + 1;
  }
  return -1;
}

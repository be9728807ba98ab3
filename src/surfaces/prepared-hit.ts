import type { Socket } from 'node:net';
import type { ArtifactMeta } from '../core/artifact-meta.ts';
import type { BodyReader, ByteRange } from '../core/body.ts';
import { GatewayError } from '../core/errors.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { Answer, StoredSource } from '../pipeline/answer.ts';
import { wholeSeconds } from '../pipeline/record-notes.ts';
import type { Resource } from '../pipeline/resource.ts';
import { decide } from '../policy/decide.ts';
import { nextAgeAt } from '../policy/freshness.ts';
import { asWhole, endsWithLength, lastField } from './answer-text.ts';
import { BodySending } from './body-sending.ts';
import { HeldSource, type HotStore } from './held-source.ts';
import { PreparedHead } from './prepared-head.ts';
import { joinedBytes, type PreparedMessage } from './prepared-message.ts';
import { partOf } from './range-field.ts';
import type { ResponseFields } from './response-fields.ts';

const nothing = new Uint8Array(0);

/** Takes requests of which all but this is known beforehand; `ttl` in whole seconds, undefined: for ever. */
export interface HitRecord {
  add(client: string, startedAt: number, ttl: number | undefined, aborted: boolean): void;
}

/** What all prepared hits have in common. */
export interface HitContext {
  readonly store: HotStore;
  readonly fields: ResponseFields;
  /** Where requests like that one are recorded. */
  readonly telemetry: {
    prepare(record: RequestRecord): HitRecord;
    record(record: RequestRecord): void;
  };
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

interface KnownParts extends HitParts {
  readonly source: HeldSource;
  /** Where in the answer's fields the age is. */
  readonly ageAt: number;
}

/** A request that is answered by more than one write, or with a part of the body. */
export interface HitRequest {
  readonly socket: Socket;
  /** Its address. */
  readonly client: string;
  /** When it came; milliseconds since the epoch. */
  readonly at: number;
  /** The value of `Range`: one range. */
  readonly range: string | undefined;
  /** Hears once that the answer is over, and what went wrong. */
  readonly ended: (failure: unknown) => void;
}

/**
 * The answer to all requests that mean what one means that was answered from memory. It holds for as
 * long as the store has the same response under its key, and that is fresh.
 */
export class PreparedHit {
  /** Characters that it keeps, about. */
  readonly weight: number;
  readonly #done: HitRecord;
  readonly #context: HitContext;
  readonly #resource: Resource;
  readonly #stored: StoredSource;
  readonly #variants: readonly ArtifactMeta[];
  readonly #status: number;
  readonly #withBody: boolean;
  readonly #record: RequestRecord;
  /** Where ranges of that many bytes are recorded: most clients ask for as many again. */
  #rangeDone: { readonly length: number; readonly done: HitRecord } | undefined;
  readonly #head: PreparedHead;
  /** What the head says now, once it does. */
  #message: PreparedMessage | undefined;
  /** Remaining freshness as that says it. */
  #ttl: number | undefined;
  readonly #source: HeldSource;
  /** While the head says the right age and date; milliseconds since the epoch. */
  #from = 0;
  #until = 0;

  /** Undefined where the answer is not to be repeated without asking again how it is made. */
  static of(context: HitContext, hit: HitParts): PreparedHit | undefined {
    const { answer, stored, variants, record } = hit;
    const ageAt = lastField(answer.headers, 'age');
    const framed = answer.body.kind === 'none' || endsWithLength(answer.headers);
    // Not what it was made from any more: the store has changed since.
    const current = variants.includes(stored.meta);
    if (!current || ageAt < 0 || !framed) return undefined;
    if (record.outcome !== 'hit' || record.key !== undefined) return undefined;
    if (record.error !== undefined || record.detail !== undefined) return undefined;
    const whole = answer.status === 206 ? asWhole(answer, stored) : answer;
    if (whole === undefined) return undefined;
    const source = HeldSource.of(context.store, hit.resource.request.url, variants, stored);
    return source && new PreparedHit(context, { ...hit, answer: whole, source, ageAt });
  }

  private constructor(context: HitContext, hit: KnownParts) {
    const { resource, answer, stored, variants, record, ageAt } = hit;
    this.#source = hit.source;
    this.#context = context;
    this.#resource = resource;
    this.#stored = stored;
    this.#variants = variants;
    this.#status = answer.status;
    this.#withBody = answer.body.kind !== 'none';
    const bytesOut = this.#withBody ? stored.body.size : 0;
    const { status, headers } = answer;
    const cacheStatus = { hit: true };
    this.#record = { ...record, status, bytesOut, firstByteMs: 0, cacheStatus };
    const { fields, ending } = context;
    this.#head = new PreparedHead({ status, headers, ageAt, record: this.#record, fields, ending });
    this.#done = context.telemetry.prepare(this.#record);
    const joined = bytesOut <= joinedBytes ? bytesOut : 0;
    this.weight = 1_000 + 3 * headers.join('').length + 200 * variants.length + joined;
  }

  /** Whether it was made from this list. */
  isOf(variants: readonly ArtifactMeta[]): boolean {
    return variants === this.#variants;
  }

  /** Whether the store still has what it was made from, and that is fresh. */
  holds(now: number): boolean {
    if (!this.#source.there) return false;
    const said = now < this.#until && now >= this.#from;
    this.#source.use(!said);
    return said || this.#renew(now);
  }

  /**
   * Writes the answer to the socket; where that is recorded. Undefined, and nothing is written, when the
   * body is not in memory.
   */
  send(socket: Socket): HitRecord | undefined {
    const message = this.#message ?? this.#head.message;
    const body = this.#withBody ? this.#source.bytes() : nothing;
    if (body === undefined) return undefined;
    if (body.length <= joinedBytes) {
      socket.write(message.with(body));
    } else {
      socket.cork();
      socket.write(message.head);
      socket.write(body);
      socket.uncork();
    }
    // Node counts down at once what the system has taken at once.
    if (socket.writableLength > 0) message.lend();
    return this.#done;
  }

  /**
   * Writes the answer with a range to the socket; where that is recorded. Undefined, and nothing is
   * written, where the ordinary path answers otherwise, or not all of it is in memory.
   */
  sendPart(socket: Socket, range: string): HitRecord | undefined {
    const part = this.#withBody ? this.#part(range) : undefined;
    const bytes = part && this.#source.part(part);
    if (part === undefined || bytes === undefined) return undefined;
    const heads = this.#head.partsOf(this.#stored.body.size);
    socket.cork();
    socket.write(heads.of(part));
    for (const chunk of bytes) socket.write(chunk);
    socket.uncork();
    if (socket.writableLength > 0) heads.lend();
    return this.#doneFor(part);
  }

  /**
   * Begins to answer with a body that is not in memory, or a range of one. Undefined, and nothing is
   * written, where the ordinary path answers otherwise, or has to wait for the first bytes.
   */
  begin({ socket, client, at, range, ended }: HitRequest): BodySending | undefined {
    const part = range === undefined ? undefined : this.#part(range);
    if (!this.#withBody || (range !== undefined && part === undefined)) return undefined;
    const { body } = this.#stored;
    const heads = part && this.#head.partsOf(body.size);
    const head = part && heads ? heads.of(part) : this.#head.message.head;
    const reader = this.#context.store.peekReader(body, part, head);
    const first = reader && beginning(reader, head);
    if (first === undefined) {
      reader?.close();
      return undefined;
    }
    // It may be under way for long.
    (heads ?? this.#head.message).lend();
    const { ttl } = this;
    const length = part ? part.last - part.first + 1 : body.size;
    const options = {
      socket,
      reader,
      length: head.length + length,
      ended: (sent: number, failure: unknown) => {
        const bytesOut = Math.max(0, sent - head.length);
        if (!failure) (part ? this.#doneFor(part) : this.#done).add(client, at, ttl, false);
        else this.#recordBroken({ client, startedAt: at, bytesOut }, part, ttl, failure);
        ended(failure);
      },
    };
    return new BodySending(options, first);
  }

  /** Remaining freshness as the answer that was sent last says it; undefined: for ever. */
  get ttl(): number | undefined {
    return this.#ttl;
  }

  /** RFC 9110 section 14.2: of a GET with a 200. */
  #part(range: string): ByteRange | undefined {
    return this.#status === 200 ? partOf(range, this.#stored.body.size) : undefined;
  }

  #doneFor({ first, last }: ByteRange): HitRecord {
    const length = last - first + 1;
    if (this.#rangeDone?.length !== length) {
      const record = { ...this.#record, status: 206, bytesOut: length };
      this.#rangeDone = { length, done: this.#context.telemetry.prepare(record) };
    }
    return this.#rangeDone.done;
  }

  #recordBroken(
    request: Pick<RequestRecord, 'client' | 'startedAt' | 'bytesOut'>,
    part: ByteRange | undefined,
    ttl: number | undefined,
    failure: unknown,
  ): void {
    const status = part ? 206 : this.#status;
    const cacheStatus = ttl === undefined ? { hit: true } : { hit: true, ttl };
    const error =
      failure instanceof GatewayError ? { error: failure.code, detail: failure.message } : {};
    const record = { ...this.#record, ...request, status, cacheStatus, aborted: true, ...error };
    this.#context.telemetry.record(record);
  }

  /** Says the age anew, as the ordinary path would at `now`; false when it would not answer so. */
  #renew(now: number): boolean {
    const { request, policy } = this.#resource;
    const decision = decide(request, this.#variants, policy, now);
    if (decision.kind !== 'fresh' || decision.meta !== this.#stored.meta) return false;
    this.#ttl = wholeSeconds(decision.ttl);
    this.#head.say(decision.age, this.#ttl, now);
    this.#message = this.#head.message;
    this.#from = now;
    // Both are told in whole seconds.
    const nextDate = this.#head.dated ? (Math.floor(now / 1000) + 1) * 1000 : Infinity;
    this.#until = Math.min(nextDate, nextAgeAt(decision.meta, now));
    return true;
  }
}

/** What is there to begin with: the head, and of the body what may go out with it. */
function beginning(reader: BodyReader, head: Uint8Array): readonly Uint8Array[] | undefined {
  const first = reader.nextNow?.();
  const second = first === head ? reader.nextNow?.() : undefined;
  return first && (second ? [first, second] : [first]);
}

import type { Socket } from 'node:net';
import type { ArtifactMeta, BodyRef } from '../core/artifact-meta.ts';
import type { BodyReader, ByteRange } from '../core/body.ts';
import { GatewayError } from '../core/errors.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { Answer, StoredSource } from '../pipeline/answer.ts';
import { wholeSeconds } from '../pipeline/record-notes.ts';
import type { Resource } from '../pipeline/resource.ts';
import { decide } from '../policy/decide.ts';
import { nextAgeAt } from '../policy/freshness.ts';
import { answerFields } from './answer-fields.ts';
import { asWhole, endsWithLength, lastField, lines, statusLine } from './answer-text.ts';
import { BodySending } from './body-sending.ts';
import { JoinedMessage, joinedBytes } from './joined-message.ts';
import { PartHead } from './part-head.ts';
import { partOf } from './range-field.ts';
import type { ResponseFields } from './response-fields.ts';

/** What the fast path asks of the store: all of it at once, and without waiting. */
export interface HotStore {
  peek(key: string): readonly ArtifactMeta[] | undefined;
  peekBody(body: BodyRef): Uint8Array | undefined;
  peekReader(body: BodyRef, range?: ByteRange, lead?: Uint8Array): BodyReader | undefined;
  peekPart(body: BodyRef, range: ByteRange): readonly Uint8Array[] | undefined;
}

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
  /** Where ranges of that many bytes are recorded: most clients ask for as many again. */
  #rangeDone: { readonly length: number; readonly done: HitRecord } | undefined;
  #head: Buffer = Buffer.alloc(0);
  /** Its fields. */
  #fields: readonly string[] = [];
  readonly #message = new JoinedMessage();
  /** The heads of its ranges, once one was asked for. */
  #partHeads: PartHead | undefined;
  /** While `#head` says the right age and date; milliseconds since the epoch. */
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
    if (answer.status !== 206) return new PreparedHit(context, hit, ageAt);
    const whole = asWhole(answer, stored);
    return whole && new PreparedHit(context, { ...hit, answer: whole }, ageAt);
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
    this.#withBody = answer.body.kind !== 'none';
    const bytesOut = this.#withBody ? stored.body.size : 0;
    this.#record = { ...record, status: answer.status, bytesOut, firstByteMs: 0 };
    this.done = context.telemetry.prepare(this.#record);
    const joined = bytesOut <= joinedBytes ? bytesOut : 0;
    this.weight = 1_000 + 2 * answer.headers.join('').length + 200 * variants.length + joined;
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

  /** Writes the answer to the socket; false, and nothing is written, when the body is not in memory. */
  send(socket: Socket): boolean {
    const head = this.#head;
    if (!this.#withBody) {
      socket.write(head);
      return true;
    }
    const body = this.#context.store.peekBody(this.#stored.body);
    if (body === undefined) return false;
    if (body.length <= joinedBytes) {
      socket.write(this.#message.of(head, body));
      return true;
    }
    socket.cork();
    socket.write(head);
    socket.write(body);
    socket.uncork();
    return true;
  }

  /**
   * Begins to answer with a range, or with a body that is not in memory. Undefined, and nothing is
   * written, where the ordinary path answers otherwise, or has to wait for the first bytes.
   */
  begin({ socket, client, at, range, ended }: HitRequest): BodySending | undefined {
    const part = range === undefined ? undefined : this.#part(range);
    if (!this.#withBody || (range !== undefined && part === undefined)) return undefined;
    const head = part ? this.#partHead(part) : this.#head;
    const { store } = this.#context;
    const { body } = this.#stored;
    const all = part && this.#inMemory(part);
    const reader = all ? undefined : store.peekReader(body, part, head);
    const first = all ?? (reader && beginning(reader, head));
    if (first === undefined) {
      reader?.close();
      return undefined;
    }
    const { ttl } = this;
    const length = part ? part.last - part.first + 1 : body.size;
    const options = {
      socket,
      reader,
      length: head.length + length,
      ended: (sent: number, failure: unknown) => {
        const bytesOut = Math.max(0, sent - head.length);
        if (!failure) this.#doneFor(part, length).add(client, at, ttl, false);
        else this.#recordBroken({ client, startedAt: at, bytesOut }, part, ttl, failure);
        ended(failure);
      },
    };
    return new BodySending(options, all ? [head, ...all] : first);
  }

  /** Remaining freshness as the answer that was sent last says it; undefined: for ever. */
  get ttl(): number | undefined {
    return this.#record.cacheStatus.ttl;
  }

  /** RFC 9110 section 14.2: of a GET with a 200. */
  #part(range: string): ByteRange | undefined {
    return this.#status === 200 ? partOf(range, this.#stored.body.size) : undefined;
  }

  #inMemory(part: ByteRange): readonly Uint8Array[] | undefined {
    const { store } = this.#context;
    const bytes = store.peekBody(this.#stored.body);
    if (bytes) return [bytes.subarray(part.first, part.last + 1)];
    return store.peekPart(this.#stored.body, part);
  }

  #partHead(part: ByteRange): Buffer {
    const { ending } = this.#context;
    const { size } = this.#stored.body;
    this.#partHeads ??= new PartHead(this.#fields, this.#headers.length, ending, size);
    return this.#partHeads.of(part);
  }

  #doneFor(part: ByteRange | undefined, length: number): HitRecord {
    if (part === undefined) return this.done;
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
    this.#fields = answerFields(this.#headers, record, fields, now);
    this.#head = Buffer.from(statusLine(this.#status) + lines(this.#fields) + ending, 'latin1');
    this.#partHeads = undefined;
    this.#from = now;
    // The date, where it is ours, and the age are told in whole seconds.
    const nextDate = (Math.floor(now / 1000) + 1) * 1000;
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

import type { RequestRecord } from '../core/request-record.ts';
import { formatHttpDate } from '../policy/http-date.ts';
import { answerFields } from './answer-fields.ts';
import { lastField, lines, placeOf, statusLine } from './answer-text.ts';
import { PartHead } from './part-head.ts';
import { PreparedMessage } from './prepared-message.ts';
import type { ResponseFields } from './response-fields.ts';

export interface HeadParts {
  readonly status: number;
  /** As the ordinary path sends them, with an `Age`. */
  readonly headers: readonly string[];
  /** Where the value of that is. */
  readonly ageAt: number;
  /** Of a request that is answered so: nobody else's, its ttl is written here. */
  readonly record: RequestRecord;
  readonly fields: ResponseFields;
  /** What the HTTP server says of the connection in each answer, and the end of the head. */
  readonly ending: string;
}

/** The head of an answer that is repeated: only its age, its ttl and, where that is ours, its date change. */
export class PreparedHead {
  /** Whether the date is ours: it is the time of the answer. */
  readonly dated: boolean;
  readonly #parts: HeadParts;
  readonly #headers: string[];
  #message: PreparedMessage | undefined;
  #ranges: PartHead | undefined;
  #age = 0;
  #now = 0;

  constructor(parts: HeadParts) {
    this.#parts = parts;
    this.#headers = [...parts.headers];
    this.dated = lastField(parts.headers, 'date') < 0;
  }

  /** What was said last; before that there is none. */
  get message(): PreparedMessage {
    this.#message ??= this.#make();
    return this.#message;
  }

  /** Says it as at `now`, in milliseconds since the epoch; age and ttl in seconds, undefined: for ever. */
  say(age: number, ttl: number | undefined, now: number): void {
    const { record, fields } = this.#parts;
    if (ttl !== undefined) record.cacheStatus.ttl = ttl;
    else if (record.cacheStatus.ttl !== undefined) record.cacheStatus = { hit: true };
    this.#age = age;
    this.#now = now;
    this.#ranges = undefined;
    const message = this.#message;
    if (message === undefined) return;
    const values = [String(age), fields.cacheStatus(record)];
    if (this.dated) values.push(formatHttpDate(now));
    if (!message.renew(values)) this.#message = undefined;
  }

  /** The heads of parts of the body, which has `size` bytes. */
  partsOf(size: number): PartHead {
    const { ending } = this.#parts;
    this.#ranges ??= new PartHead(this.#fields(), this.#headers.length, ending, size);
    return this.#ranges;
  }

  #make(): PreparedMessage {
    const { status, ageAt, ending } = this.#parts;
    const fields = this.#fields();
    const line = statusLine(status);
    // Ours come after the answer's own.
    const changing = [ageAt, lastField(fields, 'cache-status')];
    if (this.dated) changing.push(lastField(fields, 'date'));
    const places = changing.map((index) => placeOf(fields, index, line));
    return new PreparedMessage(line + lines(fields) + ending, places);
  }

  #fields(): string[] {
    const { ageAt, record, fields } = this.#parts;
    this.#headers[ageAt] = String(this.#age);
    return answerFields(this.#headers, record, fields, this.#now);
  }
}

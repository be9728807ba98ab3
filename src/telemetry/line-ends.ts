import { tenths } from './request-line.ts';

/** Ends that are kept. */
const most = 4_096;
/** Whole milliseconds of durations that are kept; longer ones are seldom the same. */
const durations = 8;
/** Seconds: over four years. */
const longestTtl = 2 ** 27;

/**
 * The ends of the lines of hits, from the duration on: thousands of a second differ in nothing else than
 * their target, and an end that is there already is no garbage.
 */
export class LineEnds {
  readonly #byClient = new Map<string, Map<number, string>>();
  #count = 0;

  /** `,"durationMs":…` to the end of the line; `ttl` in whole seconds, undefined: for ever. */
  of(client: string, durationMs: number, ttl: number | undefined): string {
    const isUsual = durationMs < durations && Number.isInteger(durationMs);
    if (!isUsual || ttl === undefined || ttl >= longestTtl) {
      return lineEnd(client, durationMs, ttl, false);
    }
    const key = ttl * durations + durationMs;
    return this.#byClient.get(client)?.get(key) ?? this.#keep(client, key, durationMs, ttl);
  }

  #keep(client: string, key: number, durationMs: number, ttl: number): string {
    if (this.#count === most) {
      this.#byClient.clear();
      this.#count = 0;
    }
    let ends = this.#byClient.get(client);
    if (ends === undefined) {
      ends = new Map();
      this.#byClient.set(client, ends);
    }
    const end = inOnePiece(lineEnd(client, durationMs, ttl, false));
    ends.set(key, end);
    this.#count++;
    return end;
  }
}

/** Members from the duration on and the end of a request's line, as pino would write them. */
export function lineEnd(
  client: string,
  durationMs: number,
  ttl: number | undefined,
  aborted: boolean,
): string {
  const left = aborted ? ',"aborted":true' : '';
  const freshness = ttl === undefined ? '' : `,"ttl":${ttl}`;
  return `,"durationMs":${tenths(durationMs)},"client":"${client}"${left}${freshness},"msg":"request"}\n`;
}

/** The same text, not made of parts: to write it makes no copy of it first. */
export function inOnePiece(text: string): string {
  return Buffer.from(text).toString();
}

import { type Logger as PinoLogger, pino } from 'pino';
import type { LogFields, Logger, LogLevel } from '../core/logger.ts';
import { logLevels } from '../core/logger.ts';
import { LineBatch, type Lines } from './line-batch.ts';
import { inOnePiece } from './line-ends.ts';
import { prettyDestination } from './pretty.ts';
import { redactValue } from './redact.ts';

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Whether requests have lines; true unless given. */
  readonly accessLog?: boolean;
  /** `json`: one object a line; `pretty`: for people, in colour where the stream is a terminal. */
  readonly format: 'json' | 'pretty';
  readonly stream: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** The logger of which all others are children. */
export interface RootLogger extends Logger {
  /** Whether requests have lines where the level allows them. */
  accessLog: boolean;
  /** What `request` and `repeated` would be given now is written. */
  readonly writesRequests: boolean;
  /**
   * Writes an info line `request` whose members are JSON and redacted already: `"method":"GET","…`.
   * It may wait for others of the same turn of the event loop.
   */
  request(members: string): void;
  /**
   * The same for one of very many, the members in two parts and the line's end with them: it may wait
   * for others for four milliseconds.
   */
  repeated(members: string, end: string): void;
  /** Writes what waits. */
  flush(): void;
}

/** The root logger. Nothing else in the program writes to its stream. */
export function createLogger(options: LoggerOptions): RootLogger {
  const timestamp = isoTimestamp();
  const lines = linesOf(options);
  const sink = pino(
    {
      level: 'trace',
      base: null,
      timestamp,
      formatters: { level: (label) => ({ level: label }) },
      // Errors come serialised and redacted already.
      serializers: { err: (error: unknown) => error },
    },
    lines,
  );
  const logger = new RequestLogger(sink, { rank: rankOf(options.level) }, lines, timestamp);
  logger.accessLog = options.accessLog ?? true;
  return logger;
}

function linesOf({ format, stream }: LoggerOptions): Lines {
  if (format === 'json') return new LineBatch(stream);
  const { write } = prettyDestination(stream, stream.isTTY === true);
  // People wait for each line.
  const soon = (start: string, middle: string, end: string): void => write(start + middle + end);
  return { write, later: write, soon, flush: () => undefined };
}

type WrittenLevel = Exclude<LogLevel, 'silent'>;

class RedactingLogger implements Logger {
  readonly #sink: PinoLogger;
  /** One object for a root and all its children: pino's children do not follow their parent's level. */
  readonly #threshold: { rank: number };

  constructor(sink: PinoLogger, threshold: { rank: number }) {
    this.#sink = sink;
    this.#threshold = threshold;
  }

  get level(): LogLevel {
    return logLevels[this.#threshold.rank] ?? 'silent';
  }

  set level(level: LogLevel) {
    this.#threshold.rank = rankOf(level);
  }

  enabled(level: LogLevel): boolean {
    return rankOf(level) <= this.#threshold.rank;
  }

  child(fields: LogFields): Logger {
    return new RedactingLogger(this.#sink.child(safe(fields)), this.#threshold);
  }

  trace(fields: LogFields, message: string): void {
    this.#write('trace', fields, message);
  }

  debug(fields: LogFields, message: string): void {
    this.#write('debug', fields, message);
  }

  info(fields: LogFields, message: string): void {
    this.#write('info', fields, message);
  }

  warn(fields: LogFields, message: string): void {
    this.#write('warn', fields, message);
  }

  error(fields: LogFields, message: string): void {
    this.#write('error', fields, message);
  }

  fatal(fields: LogFields, message: string): void {
    this.#write('fatal', fields, message);
  }

  #write(level: WrittenLevel, fields: LogFields, message: string): void {
    if (this.enabled(level)) this.#sink[level](safe(fields), message);
  }
}

class RequestLogger extends RedactingLogger implements RootLogger {
  accessLog = true;
  readonly #lines: Lines;
  readonly #timestamp: () => string;
  #startedAt = '';
  #started = '';

  constructor(
    sink: PinoLogger,
    threshold: { rank: number },
    lines: Lines,
    timestamp: () => string,
  ) {
    super(sink, threshold);
    this.#lines = lines;
    this.#timestamp = timestamp;
  }

  get writesRequests(): boolean {
    return this.accessLog && this.enabled('info');
  }

  request(members: string): void {
    if (this.writesRequests) this.#lines.later(this.#line(members));
  }

  repeated(members: string, end: string): void {
    if (this.writesRequests) this.#lines.soon(this.#start(), members, end);
  }

  flush(): void {
    this.#lines.flush();
  }

  /** As pino writes it: the generic way costs as much as all the rest of a hit. */
  #line(members: string): string {
    return `${this.#start()}${members},"msg":"request"}\n`;
  }

  /** Made once a millisecond. */
  #start(): string {
    const time = this.#timestamp();
    if (time !== this.#startedAt) {
      this.#startedAt = time;
      this.#started = inOnePiece(`{"level":"info"${time},`);
    }
    return this.#started;
  }
}

function safe(fields: LogFields): LogFields {
  return redactValue(fields) as LogFields;
}

function rankOf(level: LogLevel): number {
  return logLevels.indexOf(level);
}

/** ISO 8601 for people and log stores alike; formatted once a second, its end once a millisecond. */
function isoTimestamp(): () => string {
  let last = 0;
  let text = '';
  let second = 0;
  let start = '';
  return () => {
    const now = Date.now();
    if (now === last) return text;
    last = now;
    const milliseconds = now % 1000;
    if (now - milliseconds !== second) {
      second = now - milliseconds;
      start = `,"time":"${new Date(now).toISOString().slice(0, -4)}`;
    }
    text = `${start}${String(milliseconds).padStart(3, '0')}Z"`;
    return text;
  };
}

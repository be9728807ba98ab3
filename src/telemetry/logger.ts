import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import type { LogFields, Logger, LogLevel } from '../core/logger.ts';
import { logLevels } from '../core/logger.ts';
import { prettyDestination } from './pretty.ts';
import { redactValue } from './redact.ts';

export interface LoggerOptions {
  readonly level: LogLevel;
  /** `json`: one object a line; `pretty`: for people, in colour where the stream is a terminal. */
  readonly format: 'json' | 'pretty';
  readonly stream: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** The root logger. Nothing else in the program writes to its stream. */
export function createLogger(options: LoggerOptions): Logger {
  const destination: DestinationStream =
    options.format === 'pretty'
      ? prettyDestination(options.stream, options.stream.isTTY === true)
      : options.stream;
  const sink = pino(
    {
      level: 'trace',
      base: null,
      timestamp: isoTimestamp(),
      formatters: { level: (label) => ({ level: label }) },
      // Errors come serialised and redacted already.
      serializers: { err: (error: unknown) => error },
    },
    destination,
  );
  return new RedactingLogger(sink, { rank: rankOf(options.level) });
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

function safe(fields: LogFields): LogFields {
  return redactValue(fields) as LogFields;
}

function rankOf(level: LogLevel): number {
  return logLevels.indexOf(level);
}

/** ISO 8601 for people and log stores alike; formatted once a millisecond, not once a line. */
function isoTimestamp(): () => string {
  let last = 0;
  let text = '';
  return () => {
    const now = Date.now();
    if (now !== last) {
      last = now;
      text = `,"time":"${new Date(now).toISOString()}"`;
    }
    return text;
  };
}

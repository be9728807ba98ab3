/** From the gravest to the chattiest; `silent` says nothing at all. */
export const logLevels = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * What a line says besides its message. An error goes in as `err`: its code, origin, message and
 * causes are written. Credentials in values (userinfo and token parameters of URLs, the
 * `Authorization`, `Cookie` and similar fields) are redacted by the logger.
 */
export type LogFields = Readonly<Record<string, unknown>>;

/** Static messages plus fields: two lines of one kind have the same message. */
export interface Logger {
  trace(fields: LogFields, message: string): void;
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  fatal(fields: LogFields, message: string): void;
  /** A logger that adds these fields to each line; it shares the level, also when that changes. */
  child(fields: LogFields): Logger;
  /** Whether a line of this level would be written: to spare its making. */
  enabled(level: LogLevel): boolean;
  /** Takes effect at once, on every logger made from the same root. */
  level: LogLevel;
}

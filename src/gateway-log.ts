import type { Config } from './config/config.ts';
import { createLogger } from './telemetry/logger.ts';

/** Where the log goes, and whether somebody reads it there. */
export interface LogIo {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly isTerminal: boolean;
}

/** The gateway's log, as its configuration has it. */
export function openLog(
  config: Config,
  { stdout, isTerminal }: LogIo,
): ReturnType<typeof createLogger> {
  const { logLevel: level, accessLog, logFormat } = config;
  const format = logFormat === 'auto' ? (isTerminal ? 'pretty' : 'json') : logFormat;
  return createLogger({ level, accessLog, format, stream: stdout });
}

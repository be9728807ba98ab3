import { GatewayError } from '../core/errors.ts';
import type { FileProgress } from '../gateway-get-file.ts';
import { humanBytes } from './human.ts';
import { exitCode } from './io.ts';

/** Why a file is not there, for people and for scripts. */
export interface GetFailure {
  readonly exitCode: number;
  /** A code of `core/errors.ts`. */
  readonly code: string;
  readonly message: string;
}

/** What a failed download says. `target`: the file that was to be. */
export function getFailure(error: unknown, progress: FileProgress, target: string): GetFailure {
  if (!(error instanceof GatewayError)) {
    // A failed operation on a file or folder has the name of its system call.
    if (error instanceof Error && 'syscall' in error) {
      return { exitCode: exitCode.file, code: 'storage_failed', message: error.message };
    }
    return { exitCode: exitCode.failure, code: 'proxy_internal_error', message: String(error) };
  }
  const { code } = error;
  if (code === 'digest_mismatch') {
    const message = 'the bytes are not those that the checksum stands for; none are kept';
    return { exitCode: exitCode.wrongBytes, code, message };
  }
  if (error.origin === 'storage') {
    return { exitCode: exitCode.file, code, message: `${said(error)}${missing(progress, target)}` };
  }
  const status = error.receivedStatus;
  const refused = status !== undefined && !error.retryable;
  return {
    exitCode: refused ? exitCode.refused : exitCode.unavailable,
    code,
    message: `${said(error)}${refused ? '' : missing(progress, target)}`,
  };
}

/** What is not there of a file, and what is kept of it. */
function missing({ received, size, kept }: FileProgress, target: string): string {
  if (received === 0 && kept === 0) return '';
  const lacks =
    size === undefined
      ? `; ${humanBytes(received)} came`
      : `; ${humanBytes(size - kept)} of ${humanBytes(size)} are missing`;
  if (kept === 0) return `${lacks}, and nothing could be kept for another attempt`;
  return `${lacks}; the same command goes on from the ${humanBytes(kept)} in ${target}.part`;
}

/** The system's own word is the most exact one. */
function said(error: GatewayError): string {
  const { cause, message } = error;
  const system = cause instanceof Error && 'code' in cause ? cause.message : undefined;
  return system === undefined ? message : `${message} (${system})`;
}

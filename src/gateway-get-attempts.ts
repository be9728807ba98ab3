import { type ErrorCode, GatewayError } from './core/errors.ts';
import type { FetchedFile, FileFetch } from './gateway-get-file.ts';

export interface AttemptsOptions {
  readonly signal: AbortSignal;
  /** Resolves after so many milliseconds; rejects when the signal is aborted. */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Hears why there is another attempt, and after how many milliseconds. */
  readonly retrying: (error: GatewayError, milliseconds: number) => void;
}

/** Pauses between attempts that brought nothing, in milliseconds; after the last one it is given up. */
const pausesMs = [1_000, 2_000, 4_000, 8_000];
/** The most that a server is waited for, whatever it says. */
const mostPauseMs = 60_000;
/** So often a representation may change under a download. */
const mostChanges = 2;

/** Before a server has ever answered these mean that there is no such server, not that it is gone. */
const nobodyThere: ReadonlySet<ErrorCode> = new Set([
  'dns_error',
  'destination_not_found',
  'connection_refused',
  'tls_protocol_error',
]);
/** The next attempt would meet the same. */
const lasting: ReadonlySet<ErrorCode> = new Set([
  'tls_certificate_error',
  'destination_ip_prohibited',
  'http_request_denied',
  'redirect_loop',
]);

/**
 * Brings a file, by as many attempts as it takes while they bring something, and a few in a row that
 * do not. Rejects with the GatewayError of the last one, with something else for a programmer's error.
 */
export async function fetchFile(file: FileFetch, options: AttemptsOptions): Promise<FetchedFile> {
  const { signal, wait, retrying } = options;
  let most = 0;
  let fruitless = 0;
  let changes = 0;
  for (;;) {
    try {
      return await file.attempt(signal);
    } catch (error) {
      if (!(error instanceof GatewayError) || signal.aborted) throw error;
      const { received, resumed } = file.progress;
      if (received > Math.max(most, resumed)) fruitless = 0;
      most = Math.max(most, received);
      if (error.code === 'representation_changed') changes += 1;
      const again =
        error.code === 'digest_mismatch'
          ? await file.startOver()
          : fruitless < pausesMs.length && changes <= mostChanges && mayPass(error, most > 0);
      if (!again) throw error;
      const pause = Math.max(pausesMs[fruitless] ?? 0, file.pauseMs ?? 0);
      fruitless += 1;
      retrying(error, Math.min(pause, mostPauseMs));
      await wait(Math.min(pause, mostPauseMs), signal);
    }
  }
}

/** Whether another attempt may do better. `answered`: bytes have come, in this run. */
function mayPass(error: GatewayError, answered: boolean): boolean {
  if (error.code === 'representation_changed') return true;
  if (!error.retryable || error.origin !== 'upstream' || lasting.has(error.code)) return false;
  return answered || error.receivedStatus !== undefined || !nobodyThere.has(error.code);
}

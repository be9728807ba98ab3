import { GatewayError } from '../core/errors.ts';

/** Milliseconds for which a failure is remembered: so often one request waits for the upstream. */
const memoryMs = 5_000;
/** URLs remembered at most. */
const atMost = 10_000;

interface Failure {
  readonly error: GatewayError;
  /** When it is to be tried again; milliseconds since the epoch. */
  until: number;
}

/**
 * The URLs whose upstreams gave no answer to a validation a moment ago. What may be served stale is
 * served at once meanwhile: not each client has to wait for the same timeout.
 * RFC 9111 section 4.2.4: a cache may serve stale while it is disconnected.
 */
export class FailedValidations {
  readonly #failures = new Map<string, Failure>();

  /** The failure that still holds; undefined: ask the upstream, and tell what came of it. */
  recent(url: string, now: number): GatewayError | undefined {
    const failure = this.#failures.get(url);
    if (failure === undefined) return undefined;
    const left = failure.until - now;
    if (left > memoryMs || left <= -memoryMs) {
      this.#failures.delete(url);
      return undefined;
    }
    if (left > 0) return failure.error;
    // This one tries again: for the others the failure holds until it knows more.
    failure.until = now + memoryMs;
    return undefined;
  }

  /** An answer with an error status is quick, and the next one may be better: it is not remembered. */
  failed(url: string, error: unknown, now: number): void {
    if (!(error instanceof GatewayError) || error.origin !== 'upstream') return;
    if (error.receivedStatus !== undefined) return;
    this.#failures.delete(url);
    this.#failures.set(url, { error, until: now + memoryMs });
    if (this.#failures.size <= atMost) return;
    for (const oldest of this.#failures.keys()) {
      this.#failures.delete(oldest);
      break;
    }
  }

  answered(url: string): void {
    this.#failures.delete(url);
  }
}

import { originOf } from '../core/canonical-url.ts';
import type { ErrorCode } from '../core/errors.ts';

/** Per origin the time, in milliseconds since the epoch, until which it is asked last. */
export type UpstreamState = ReadonlyMap<string, number>;

/** Failures that say something of the host, not of the one response. */
const hostFailures: ReadonlySet<ErrorCode> = new Set([
  'dns_timeout',
  'dns_error',
  'destination_unavailable',
  'connection_refused',
  'connection_terminated',
  'connection_timeout',
  'tls_protocol_error',
  'tls_certificate_error',
  'http_response_timeout',
]);

/**
 * The order in which to ask equivalent upstreams: as configured, those that failed lately at the end
 * (where they still are the last resort).
 */
export function orderUpstreams<T extends { readonly url: string }>(
  targets: readonly T[],
  state: UpstreamState,
  now: number,
): readonly T[] {
  const avoided = (target: T): boolean => (state.get(originOf(target.url)) ?? 0) > now;
  if (!targets.some(avoided)) return targets;
  return [...targets.filter((target) => !avoided(target)), ...targets.filter(avoided)];
}

/** What is known of hosts that could not be reached, by origin. */
export class FailureMemory {
  readonly #cooldownMs: number;
  readonly #state = new Map<string, number>();

  /** `cooldownMs`: how long a host that failed is asked last. */
  constructor(cooldownMs: number) {
    this.#cooldownMs = cooldownMs;
  }

  get state(): UpstreamState {
    return this.#state;
  }

  /**
   * A request goes to it. After the cool-down that request is the trial, and while it lasts the others
   * keep away (half-open).
   */
  asked(origin: string, now: number): void {
    const until = this.#state.get(origin);
    if (until !== undefined && until <= now) this.#state.set(origin, now + this.#cooldownMs);
  }

  answered(origin: string): void {
    this.#state.delete(origin);
  }

  failed(origin: string, code: ErrorCode, now: number): void {
    if (hostFailures.has(code)) this.#state.set(origin, now + this.#cooldownMs);
  }
}

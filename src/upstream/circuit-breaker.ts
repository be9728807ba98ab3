/** `half-open`: the pause is over, and one request may try. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** How many wrong responses in a row open it. */
const failuresToOpen = 3;
const firstPauseMs = 10_000;
const longestPauseMs = 300_000;
/** What a `Retry-After` may ask for at the most. */
const longestRetryAfterMs = 3_600_000;

/**
 * Keeps requests away from a mirror that fails, for a pause that doubles with each failed trial. Time
 * is passed in, in milliseconds since the epoch.
 */
export class CircuitBreaker {
  readonly #pauseMs: number;
  #failures = 0;
  #openings = 0;
  #openUntil: number | undefined;
  #trialUntil = 0;
  /** The mirror itself asked for the pause: a success of an earlier request does not end it. */
  #requested = false;

  /** `pauseMs`: the first pause. */
  constructor(pauseMs = firstPauseMs) {
    this.#pauseMs = pauseMs;
  }

  stateAt(now: number): BreakerState {
    if (this.#openUntil === undefined) return 'closed';
    if (now < this.#openUntil || now < this.#trialUntil) return 'open';
    return 'half-open';
  }

  /** When the pause ends; undefined while closed. */
  get openUntil(): number | undefined {
    return this.#openUntil;
  }

  /** A request goes to it. In the half-open state that is the trial, and others keep away meanwhile. */
  asked(now: number): void {
    if (this.stateAt(now) === 'half-open') this.#trialUntil = now + this.#pauseMs;
  }

  /** The request was given up before anything could be said of the mirror. */
  abandoned(): void {
    this.#trialUntil = 0;
  }

  /** Closes it, but for a pause that the mirror asked for; whether it was open until now. */
  succeeded(now: number): boolean {
    this.#failures = 0;
    if (this.#openUntil === undefined) return false;
    if (this.#requested && now < this.#openUntil) return false;
    this.#requested = false;
    this.#openings = 0;
    this.#openUntil = undefined;
    this.#trialUntil = 0;
    return true;
  }

  /**
   * `severe`: it could not be reached, or its bytes were wrong; once is enough. Of other failures it
   * takes three in a row.
   */
  failed(now: number, severe: boolean): void {
    this.#failures += 1;
    const pausing =
      this.#openUntil !== undefined && now < this.#openUntil && this.#trialUntil <= now;
    // Requests that were on their way when it opened say nothing new.
    if (pausing) return;
    if (!severe && this.#openUntil === undefined && this.#failures < failuresToOpen) return;
    this.#openings += 1;
    this.#pause(now + Math.min(longestPauseMs, this.#pauseMs * 2 ** (this.#openings - 1)));
  }

  /**
   * It asked to be left alone for so long; an hour at the most is granted. Without a time the pause
   * is the usual one. RFC 9110 section 10.2.3, RFC 6585 section 4.
   */
  pause(now: number, milliseconds: number | undefined): void {
    this.#requested = true;
    this.#pause(now + Math.min(milliseconds ?? this.#pauseMs, longestRetryAfterMs));
  }

  #pause(until: number): void {
    this.#openUntil = Math.max(this.#openUntil ?? 0, until);
    this.#trialUntil = 0;
  }
}

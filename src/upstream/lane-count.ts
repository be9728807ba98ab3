/** How a body under way is doing. */
export interface LaneSample {
  /** Milliseconds, on a clock that does not go back. */
  readonly at: number;
  /** Bytes that have arrived so far. */
  readonly bytes: number;
  /** Connections whose bytes are arriving. */
  readonly flowing: number;
}

export interface LaneCountOptions {
  readonly max: number;
}

/** The first step, where nothing is known. */
const firstStep = 12;
/** How long a number is watched before it is judged, in milliseconds. */
const windowMs = 80;
/** How long a number stays when a larger one brought nothing, in milliseconds. */
const restMs = 3_000;
/** The same when a connection was refused for the first time: a place may become free. */
const refusedMs = 250;
/** Parts of a proportional gain: with the one a step is followed by another, without the other undone. */
const worthAnother = 0.35;
const worthKeeping = 0.1;

/**
 * How many connections to have for one body: more for as long as the sum of what they bring rises
 * with them, fewer again when it does not. Knows no clock: the caller samples.
 */
export class LaneCount {
  readonly #options: LaneCountOptions;
  #target = 1;
  /** The number before the one on trial, and what it brought in bytes a millisecond. */
  #trial: { readonly before: number; readonly rate: number } | undefined;
  #window: LaneSample | undefined;
  #restUntil = Number.POSITIVE_INFINITY;
  /** How long the last refusals made it rest, in milliseconds. */
  #restMs = 0;

  constructor(options: LaneCountOptions) {
    this.#options = options;
  }

  /** Connections to have now. */
  get target(): number {
    return this.#target;
  }

  /** From the first connection to several; `rate` is what it brings, in bytes a millisecond. */
  begin(rate: number): void {
    this.#restUntil = Number.NEGATIVE_INFINITY;
    this.#try(firstStep, rate);
  }

  observe(sample: LaneSample): void {
    // Those that are not there yet would make the number look worse than it is.
    if (sample.flowing < this.#target) this.#window = undefined;
    else this.#window ??= sample;
    if (!this.#window || sample.at - this.#window.at < windowMs) return;
    const rate = (sample.bytes - this.#window.bytes) / (sample.at - this.#window.at);
    this.#window = sample;
    if (this.#trial) this.#judge(rate, this.#trial, sample.at);
    else if (sample.at >= this.#restUntil) this.#try(this.#target + 1, rate);
  }

  /**
   * One was too many: it is tried again soon, and ever later for as long as that is so. What is refused
   * while it rests was asked for before that, and says no more than how many were too many.
   */
  refused(at: number): void {
    const rests = at < this.#restUntil && this.#restMs > 0;
    if (!rests) this.#restMs = this.#restMs === 0 ? refusedMs : Math.min(restMs, 2 * this.#restMs);
    this.#settle(this.#target - 1, at + this.#restMs);
  }

  #settle(target: number, restUntil: number): void {
    this.#target = Math.max(1, target);
    this.#trial = undefined;
    this.#window = undefined;
    this.#restUntil = restUntil;
  }

  #judge(rate: number, { before, rate: rateBefore }: { before: number; rate: number }, at: number) {
    const gain = rate - rateBefore;
    const proportional = rateBefore * (this.#target / before - 1);
    if (gain >= worthAnother * proportional && this.#target < this.#options.max) {
      this.#try(this.#target * 2, rate);
    } else {
      this.#settle(gain >= worthKeeping * proportional ? this.#target : before, at + restMs);
    }
  }

  #try(target: number, rate: number): void {
    const next = Math.min(this.#options.max, target);
    if (next <= this.#target) return;
    this.#trial = { before: this.#target, rate };
    this.#target = next;
    this.#window = undefined;
  }
}

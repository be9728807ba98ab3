import { GatewayError } from '../core/errors.ts';

/** Calls `run` after so many milliseconds unless the result is called before. */
export type After = (milliseconds: number, run: () => void) => () => void;

export interface HedgeOptions<T> {
  readonly first: (signal: AbortSignal) => Promise<T>;
  /** Begins the second one when the first is late; undefined: there is none to be had. */
  readonly second: (signal: AbortSignal) => Promise<T> | undefined;
  readonly lateMs: number;
  readonly good: (outcome: T) => boolean;
  /** Takes what the loser brought after all. */
  readonly drop: (outcome: T) => void;
  readonly after: After;
  readonly signal: AbortSignal | undefined;
}

export interface Hedged<T> {
  /** In the order in which they came; where one is good it is the last. */
  readonly outcomes: readonly T[];
  /** The first one lost: it was aborted. */
  readonly overtaken: boolean;
}

/**
 * Races a second attempt against one that is late: the first good outcome wins and the other attempt
 * is aborted. An attempt that fails waits for the other one. Rejects only where an attempt does.
 */
export function hedged<T>(options: HedgeOptions<T>): Promise<Hedged<T>> {
  const { good, drop, signal } = options;
  const outcomes: T[] = [];
  const running = new Map<Promise<T>, AbortController>();
  let over = false;
  return new Promise((resolve, reject) => {
    const start = (begin: (signal: AbortSignal) => Promise<T> | undefined): void => {
      const controller = new AbortController();
      const linked = signal ? AbortSignal.any([signal, controller.signal]) : controller.signal;
      const attempt = begin(linked);
      if (attempt === undefined) return;
      running.set(attempt, controller);
      attempt.then((outcome) => settled(attempt, outcome), failed);
    };
    const failed = (error: unknown): void => {
      if (over) return;
      finish();
      reject(error);
    };
    const settled = (attempt: Promise<T>, outcome: T): void => {
      if (over) {
        drop(outcome);
        return;
      }
      running.delete(attempt);
      outcomes.push(outcome);
      if (!good(outcome) && running.size > 0) return;
      const overtaken = running.has(first);
      finish();
      resolve({ outcomes, overtaken });
    };
    const finish = (): void => {
      over = true;
      cancel();
      for (const controller of running.values()) controller.abort(overtakenError());
    };
    let first!: Promise<T>;
    start((linked) => {
      first = options.first(linked);
      return first;
    });
    const cancel = options.after(options.lateMs, () => {
      if (!over) start(options.second);
    });
  });
}

function overtakenError(): GatewayError {
  return new GatewayError('client_gone', 'another mirror was faster', { origin: 'client' });
}

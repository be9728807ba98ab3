import { GatewayError } from '../core/errors.ts';
import { FairSemaphore } from './fair-semaphore.ts';
import { TokenBucket } from './token-bucket.ts';

interface Gate {
  readonly places: FairSemaphore;
  bucket: TokenBucket | undefined;
}

/** The places and the bandwidth of each origin. */
export class MirrorGates {
  readonly #gates = new Map<string, Gate>();

  active(origin: string): number {
    return this.#gates.get(origin)?.places.active ?? 0;
  }

  queued(origin: string): number {
    return this.#gates.get(origin)?.places.queued ?? 0;
  }

  /**
   * Takes one of `limit` places, now or when it is its turn among the `key`s that wait; undefined:
   * at once. Rejects with the signal's reason, where that is a GatewayError, or `client_gone`.
   */
  enter(
    origin: string,
    { key, limit }: { key: string; limit: number },
    signal: AbortSignal | undefined,
  ): Promise<void> | undefined {
    const { places } = this.#gate(origin);
    if (places.tryEnter(limit)) return undefined;
    return new Promise((resolve, reject) => {
      const gaveUp = (): void => {
        stop();
        this.#forgetIdle(origin);
        const reason: unknown = signal?.reason;
        reject(reason instanceof GatewayError ? reason : clientGone(reason));
      };
      const stop = places.wait(key, limit, () => {
        signal?.removeEventListener('abort', gaveUp);
        resolve();
      });
      if (signal?.aborted) gaveUp();
      else signal?.addEventListener('abort', gaveUp, { once: true });
    });
  }

  leave(origin: string): void {
    this.#gates.get(origin)?.places.leave();
    this.#forgetIdle(origin);
  }

  /** The bucket of an origin with a limit, in bytes per second. */
  bucket(origin: string, bytesPerSecond: number, now: number): TokenBucket {
    const gate = this.#gate(origin);
    if (gate.bucket?.bytesPerSecond !== bytesPerSecond) {
      gate.bucket = new TokenBucket(bytesPerSecond, now);
    }
    return gate.bucket;
  }

  #gate(origin: string): Gate {
    const known = this.#gates.get(origin);
    if (known !== undefined) return known;
    const gate: Gate = { places: new FairSemaphore(), bucket: undefined };
    this.#gates.set(origin, gate);
    return gate;
  }

  /** Origins are as many as clients name: one without a limit is not kept for nothing. */
  #forgetIdle(origin: string): void {
    const gate = this.#gates.get(origin);
    if (gate?.bucket === undefined && gate?.places.active === 0 && gate.places.queued === 0) {
      this.#gates.delete(origin);
    }
  }
}

function clientGone(cause: unknown): GatewayError {
  return new GatewayError('client_gone', 'the request was given up', { origin: 'client', cause });
}

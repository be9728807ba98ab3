import { Transform, type TransformCallback } from 'node:stream';
import type { Fill } from './fill.ts';
import { brokenOff } from './fill-errors.ts';

/**
 * The body of a response to POST on its way to its client, written into a fill as it passes. The
 * client sets the pace, and what becomes of the fill is nothing to it.
 */
export class PostedBody extends Transform {
  readonly #begin: () => Promise<Fill | undefined>;
  #fill: Fill | undefined;
  #position = 0;
  /** Calls for the next bytes, while the fill cannot take more. */
  #next: (() => void) | undefined;

  /** `begin` gives the fill before the first byte; without one the bytes only pass. */
  constructor(begin: () => Promise<Fill | undefined>) {
    super();
    this.#begin = begin;
  }

  override _construct(ready: (error?: Error | null) => void): void {
    this.#begin().then((fill) => {
      this.#fill = fill;
      fill?.connect({
        resume: () => this.#resume(),
        want: () => undefined,
        narrow: () => undefined,
        abort: () => this.#letGo(),
      });
      // Only whoever comes after its end reads it.
      fill?.release();
      ready();
    }, ready);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, next: TransformCallback): void {
    this.push(chunk);
    const flows = this.#fill?.append(this.#position, chunk) ?? true;
    this.#position += chunk.length;
    this.#next = next;
    if (flows || this.#fill === undefined) this.#resume();
  }

  override _flush(done: TransformCallback): void {
    void this.#fill?.finish();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.writableFinished) this.#fill?.fail(brokenOff());
    done(error);
  }

  #resume(): void {
    const next = this.#next;
    this.#next = undefined;
    next?.();
  }

  #letGo(): void {
    this.#fill = undefined;
    this.#resume();
  }
}

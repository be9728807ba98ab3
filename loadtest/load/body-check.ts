import { createHash, type Hash } from 'node:crypto';
import { bodyOfPath, type GeneratedBody, isRight, sha256Of } from '../fixtures/generated-body.ts';

/** Compares a response with what the origin generates for its path, byte for byte. */
export class BodyCheck {
  readonly #body: GeneratedBody;
  readonly #hash: Hash | undefined;
  #position = 0;
  #problem: string | undefined;

  /** `digest`: the SHA-256 is computed and compared as well. */
  constructor(path: string, digest = false) {
    const found = bodyOfPath(path);
    if (!found) throw new Error(`not a path of the origin: ${path}`);
    this.#body = found.body;
    this.#hash = digest ? createHash('sha256') : undefined;
  }

  get position(): number {
    return this.#position;
  }

  begin(status: number): void {
    this.#position = 0;
    if (status !== 200) this.#problem ??= `status ${status}`;
  }

  take(chunk: Buffer): void {
    if (this.#problem === undefined && !isRight(this.#body, this.#position, chunk)) {
      this.#problem = `wrong bytes in ${chunk.length} from ${this.#position} of ${this.#body.name}`;
    }
    this.#hash?.update(chunk);
    this.#position += chunk.length;
  }

  /** The response is over: what was wrong with it, if anything. */
  finish(): string | undefined {
    const { size } = this.#body;
    if (this.#position !== size) this.#problem ??= `${this.#position} of ${size} bytes`;
    if (this.#hash && this.#hash.digest('hex') !== sha256Of(this.#body)) {
      this.#problem ??= `wrong SHA-256 of ${this.#body.name}`;
    }
    return this.#problem;
  }

  /** What was wrong so far. */
  get problem(): string | undefined {
    return this.#problem;
  }
}

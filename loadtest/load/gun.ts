import { BodyCheck } from './body-check.ts';
import { Connection } from './connection.ts';
import type { Expected, Shot } from './shot.ts';

/** A connection that sends one request after the other and checks what comes. */
export class Gun {
  readonly #connection: Connection;
  #check: BodyCheck | undefined;
  #expected: Expected | undefined;
  #done: ((problem: string | undefined) => void) | undefined;
  #broken: string | undefined;

  constructor(base: string) {
    this.#connection = new Connection(
      base,
      {
        head: (status) => this.#check?.begin(status, this.#expected),
        body: (chunk) => this.#check?.take(chunk),
        end: () => this.#done?.(this.#check?.finish()),
      },
      (problem) => {
        this.#broken = problem;
        this.#done?.(problem);
      },
    );
  }

  /** Resolves when it is connected, or when it cannot be. */
  async connected(): Promise<void> {
    await this.#connection.connected().catch((error: Error) => {
      this.#broken ??= error.message;
    });
  }

  /** `done` is told what was wrong with the response, or with the connection. */
  shoot(shot: Shot, expected: Expected, done: (problem: string | undefined) => void): void {
    if (this.#broken !== undefined) {
      done(this.#broken);
      return;
    }
    this.#expected = expected;
    this.#check ??= new BodyCheck(expected);
    this.#done = done;
    this.#connection.get(shot.path, shot.fields);
  }

  close(): void {
    this.#connection.close();
  }
}

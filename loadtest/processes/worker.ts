import type { ChildProcess } from 'node:child_process';
import process from 'node:process';
import { startPinned } from './start.ts';

/** What a worker can do: for each kind of call what it takes and what it gives. */
export type Calls = Record<string, { readonly takes: unknown; readonly gives: unknown }>;

/** The worker's side of each call. */
export type Handlers<C extends Calls> = {
  readonly [K in keyof C]: (takes: C[K]['takes']) => Promise<C[K]['gives']> | C[K]['gives'];
};

interface Request {
  readonly id: number;
  readonly kind: string;
  readonly takes: unknown;
}

type Response =
  | { readonly id: number; readonly gives: unknown }
  | { readonly id: number; readonly error: string };

const patienceMs = 90_000;

/** A process of ours that answers calls; it ends when this one does. */
export class Worker<C extends Calls> {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #next = 0;

  /** `file`: a module that calls `answerCalls`; `core`: where it runs, undefined for anywhere. */
  constructor(file: string, core: number | undefined) {
    this.#child = startPinned(process.execPath, [file], core, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    this.#child.on('message', (message) => this.#settle(message as Response));
    this.#child.once('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) {
        reject(new Error(`${file} ended (${signal ?? code})`));
      }
      this.#waiting.clear();
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Rejects where there is no answer in time: a server that hangs must not hold up all others. */
  call<K extends keyof C & string>(
    kind: K,
    takes: C[K]['takes'],
    limitMs = patienceMs,
  ): Promise<C[K]['gives']> {
    const id = this.#next++;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    const limit = setTimeout(() => {
      this.#waiting.delete(id);
      answer.reject(new Error(`${kind} was not done after ${limitMs / 1000} s`));
    }, limitMs);
    const done = (): void => clearTimeout(limit);
    answer.promise.then(done, done);
    this.#child.send({ id, kind, takes } satisfies Request, (error) => {
      if (error) answer.reject(error);
    });
    return answer.promise as Promise<C[K]['gives']>;
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  #settle(response: Response): void {
    const waiting = this.#waiting.get(response.id);
    this.#waiting.delete(response.id);
    if ('error' in response) waiting?.reject(new Error(response.error));
    else waiting?.resolve(response.gives);
  }
}

/** Answers the parent's calls until the parent is gone. */
export function answerCalls<C extends Calls>(handlers: Handlers<C>): void {
  const send = (response: Response): void => void process.send?.(response);
  process.on('message', (message) => {
    const { id, kind, takes } = message as Request;
    Promise.try(() => handlers[kind as keyof C](takes as C[keyof C]['takes'])).then(
      (gives) => send({ id, gives }),
      (error: unknown) =>
        send({ id, error: error instanceof Error ? `${error.stack}` : `${error}` }),
    );
  });
  process.on('disconnect', () => process.exit(0));
}

import { hash } from 'node:crypto';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { BodyPrefix } from '../core/body.ts';
import type { Logger } from '../core/logger.ts';
import type { FromHash, ToHash } from './hash-worker.ts';

export interface HashThreadOptions {
  readonly log: Pick<Logger, 'debug'>;
  /** How long it lasts without work, in milliseconds. */
  readonly idleMs?: number;
  /** How long it may go on when the gateway ends, in milliseconds. */
  readonly graceMs?: number;
  /** What runs in it. */
  readonly entry?: URL;
}

/** What the thread does for one body. */
export interface HashTask {
  /** What it has told last. */
  readonly prefix: BodyPrefix;
  /** It will not go on with this one. */
  readonly failed: boolean;
  /** So many bytes of the body, from the first on, are in the file. */
  wrote(path: string, bytes: number): void;
  /** Whether the prefix has so many bytes at last; false as soon as it never will. */
  reaches(bytes: number): Promise<boolean>;
  /** Nobody needs it any more. */
  drop(): void;
}

/** Below this a body is not worth starting a thread: that takes about 20 ms of a processor. */
const worthStartingBytes = 32 * 1024 * 1024;
/** While it is so far behind what was written, it gets no other bodies. */
const mostBehind = 256 * 1024 * 1024;
/** Less than it takes until memory at rest goes back to the system. */
const defaultIdleMs = 20_000;
/** It is done in a fraction of a second, unless others want its core: then it has a tenth of that. */
const defaultGraceMs = 10_000;

const nothing: BodyPrefix = { bytes: 0, sha256: hash('sha256', '') };

/**
 * A thread that hashes large bodies from their files, so that no response waits for that: started with
 * the first of them, ended when there was none for a while. Where there can be none, or it dies, the
 * bodies are left to the main thread.
 */
export class HashThread {
  readonly #options: HashThreadOptions;
  readonly #tasks = new Map<number, Task>();
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #grace: NodeJS.Timeout | undefined;
  #lastId = 0;
  #over = false;

  constructor(options: HashThreadOptions) {
    this.#options = options;
  }

  /** Takes on a body of so many bytes; undefined: somebody else has to hash it. */
  begin(size: number): HashTask | undefined {
    if (this.#over || (!this.#worker && size < worthStartingBytes)) return undefined;
    if (this.#behind > mostBehind) return undefined;
    const worker = this.#worker ?? this.#start();
    if (!worker) return undefined;
    clearTimeout(this.#idle);
    this.#lastId += 1;
    const id = this.#lastId;
    const send = (message: ToHash): void => worker.postMessage(message);
    const task = new Task(id, size, { send, ended: () => this.#ended(id) });
    this.#tasks.set(id, task);
    return task;
  }

  /** Resolves when the bodies that are whole are hashed. From now on that may not take long. */
  async finished(): Promise<void> {
    const { graceMs = defaultGraceMs } = this.#options;
    this.#grace = setTimeout(() => void this.close(), graceMs);
    const whole = [...this.#tasks.values()].filter(({ isEnding }) => isEnding);
    if (whole.length === 0) return;
    await Promise.all(whole.map((task) => task.reaches(task.size)));
    // Whoever waited for a hash goes on first.
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Ends the thread, and what it has to do. */
  async close(): Promise<void> {
    clearTimeout(this.#grace);
    this.#over = true;
    await this.#end();
  }

  get #behind(): number {
    return this.#tasks.values().reduce((sum, { behind }) => sum + behind, 0);
  }

  #start(): Worker | undefined {
    const cache = getCompileCacheDir();
    try {
      const worker = new Worker(
        this.#options.entry ?? new URL('./hash-worker.ts', import.meta.url),
        {
          name: 'hash',
          argv: [],
          execArgv: [],
          env: cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache) },
          resourceLimits: {
            maxYoungGenerationSizeMb: 1,
            maxOldGenerationSizeMb: 16,
            codeRangeSizeMb: 8,
            stackSizeMb: 1,
          },
        },
      );
      worker.unref();
      worker.on('message', (message: FromHash) => this.#tasks.get(message.id)?.take(message));
      worker.on('error', (error) => this.#died(worker, error));
      worker.on('exit', () => this.#died(worker));
      this.#worker = worker;
      return worker;
    } catch (error) {
      this.#giveUp(error);
      return undefined;
    }
  }

  #died(worker: Worker, error?: unknown): void {
    if (this.#worker !== worker) return;
    this.#giveUp(error);
    void this.#end();
  }

  #giveUp(err: unknown): void {
    this.#over = true;
    this.#options.log.debug({ err }, 'large bodies are hashed without a thread of their own');
  }

  async #end(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    for (const task of [...this.#tasks.values()]) task.fail();
    await worker?.terminate();
  }

  #ended(id: number): void {
    this.#tasks.delete(id);
    if (this.#tasks.size > 0) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => void this.#end(), this.#options.idleMs ?? defaultIdleMs).unref();
  }
}

interface Host {
  readonly send: (message: ToHash) => void;
  readonly ended: () => void;
}

class Task implements HashTask {
  readonly size: number;
  readonly #id: number;
  readonly #host: Host;
  #prefix = nothing;
  #written = 0;
  #over = false;
  #failed = false;
  #waiting: { readonly bytes: number; readonly tell: (reached: boolean) => void }[] = [];

  constructor(id: number, size: number, host: Host) {
    this.#id = id;
    this.size = size;
    this.#host = host;
  }

  get prefix(): BodyPrefix {
    return this.#prefix;
  }

  get failed(): boolean {
    return this.#failed;
  }

  /** Whether somebody waits for the hash of the whole. */
  get isEnding(): boolean {
    return this.#waiting.some(({ bytes }) => bytes === this.size);
  }

  get behind(): number {
    return this.#written - this.#prefix.bytes;
  }

  wrote(path: string, bytes: number): void {
    if (this.#over || bytes <= this.#written) return;
    this.#written = bytes;
    this.#host.send({ id: this.#id, path, bytes, size: this.size });
  }

  async reaches(bytes: number): Promise<boolean> {
    if (bytes <= this.#prefix.bytes) return true;
    if (this.#over) return false;
    return new Promise((tell) => {
      this.#waiting.push({ bytes, tell });
    });
  }

  drop(): void {
    if (this.#over) return;
    this.#host.send({ id: this.#id, dropped: true });
    this.fail();
  }

  take(message: FromHash): void {
    if ('problem' in message) {
      this.fail();
      return;
    }
    const { bytes, sha256 } = message;
    this.#prefix = { bytes, sha256 };
    const reached = this.#waiting.filter((each) => each.bytes <= bytes);
    this.#waiting = this.#waiting.filter((each) => each.bytes > bytes);
    for (const { tell } of reached) tell(true);
    if (bytes === this.size) this.#end();
  }

  fail(): void {
    if (this.#over) return;
    this.#failed = true;
    this.#end();
  }

  #end(): void {
    this.#over = true;
    for (const { tell } of this.#waiting) tell(false);
    this.#waiting = [];
    this.#host.ended();
  }
}

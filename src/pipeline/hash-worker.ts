import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { constants, getPriority, platform, setPriority } from 'node:os';
import { type MessagePort, parentPort } from 'node:worker_threads';

/** So many bytes of a body are in its file by now (all of it: `size`); or nobody needs its hash. */
export type ToHash =
  | { readonly id: number; readonly path: string; readonly bytes: number; readonly size: number }
  | { readonly id: number; readonly dropped: true };

/** What the beginning of a body hashes to; or that it could not be read, and is left to others. */
export type FromHash =
  | { readonly id: number; readonly bytes: number; readonly sha256: string }
  | { readonly id: number; readonly problem: string };

interface Job {
  readonly id: number;
  readonly fd: number;
  readonly size: number;
  readonly hash: Hash;
  /** What is there, what is hashed of it, and what was told of that. */
  bytes: number;
  done: number;
  told: number;
}

const bufferBytes = 256 * 1024;
/** What one body gets before it is another one's turn. */
const turnBytes = 1024 * 1024;
/** How often it is told, besides when all that is there is hashed. */
const tellBytes = 8 * 1024 * 1024;

/** Hashes bodies as their files grow, in turn, and tells how far it is. */
class HashWorker {
  readonly #port: MessagePort;
  readonly #buffer = Buffer.allocUnsafeSlow(bufferBytes);
  /** The one whose turn is next comes first. */
  readonly #jobs = new Map<number, Job>();
  #working = false;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  take(message: ToHash): void {
    const { id } = message;
    if ('dropped' in message) this.#end(id);
    else {
      this.#try(id, () => {
        const job = this.#jobs.get(id) ?? this.#begin(id, message.path, message.size);
        job.bytes = message.bytes;
      });
      this.#work();
    }
  }

  #begin(id: number, path: string, size: number): Job {
    const fd = openSync(path, 'r');
    const job = { id, fd, size, hash: createHash('sha256'), bytes: 0, done: 0, told: 0 };
    this.#jobs.set(id, job);
    return job;
  }

  #work(): void {
    if (this.#working) return;
    const job = this.#jobs.values().find(({ done, bytes }) => done < bytes);
    this.#working = job !== undefined;
    if (!job) return;
    // Between two turns messages are heard.
    setImmediate(() => {
      this.#working = false;
      if (this.#jobs.get(job.id) === job) this.#try(job.id, () => this.#turn(job));
      this.#work();
    });
  }

  #turn(job: Job): void {
    this.#jobs.delete(job.id);
    this.#jobs.set(job.id, job);
    const end = Math.min(job.bytes, job.done + turnBytes);
    while (job.done < end) {
      const count = readSync(
        job.fd,
        this.#buffer,
        0,
        Math.min(bufferBytes, end - job.done),
        job.done,
      );
      if (count === 0) throw new Error('the file is shorter than what was written');
      job.hash.update(this.#buffer.subarray(0, count));
      job.done += count;
    }
    if (job.done === job.bytes || job.done - job.told >= tellBytes) this.#tell(job);
  }

  #tell(job: Job): void {
    const { id, done, size, hash } = job;
    job.told = done;
    if (done === size) this.#end(id);
    const sha256 = (done === size ? hash : hash.copy()).digest('hex');
    this.#port.postMessage({ id, bytes: done, sha256 } satisfies FromHash);
  }

  /** What fails concerns one body only, which somebody else hashes then. */
  #try(id: number, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#end(id);
      const problem = error instanceof Error ? error.message : String(error);
      this.#port.postMessage({ id, problem } satisfies FromHash);
    }
  }

  #end(id: number): void {
    const job = this.#jobs.get(id);
    if (!job) return;
    this.#jobs.delete(id);
    closeSync(job.fd);
  }
}

/** Nobody waits for it. Elsewhere this would be the priority of the whole process. */
function stepBack(): void {
  const below = constants.priority.PRIORITY_BELOW_NORMAL;
  if (platform() === 'linux' && getPriority(0) < below) setPriority(0, below);
}

function serve(port: MessagePort): void {
  stepBack();
  const worker = new HashWorker(port);
  port.on('message', (message: ToHash) => worker.take(message));
}

if (parentPort) serve(parentPort);

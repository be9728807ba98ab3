import { monotonicMs } from '../processes/monotonic.ts';
import { BodyCheck } from './body-check.ts';
import { Connection } from './connection.ts';
import { expectedOf } from './shot.ts';

/** Downloads that begin at the same moment, each on a connection of its own. */
export interface DownloadsJob {
  readonly base: string;
  /** One download for each. */
  readonly paths: readonly string[];
  /** Bytes a second at which each client reads; without it as fast as they come. */
  readonly pace?: number;
  /** Clients leave after this time, and what they have until then is right or not. */
  readonly limitMs?: number;
  /** SHA-256 besides the comparison. */
  readonly digest?: boolean;
}

/** Times are on the clock of `monotonicMs`. */
export interface Download {
  readonly firstByteAt: number | undefined;
  readonly endedAt: number;
  readonly bytes: number;
  readonly problem: string | undefined;
}

export interface DownloadsResult {
  readonly startedAt: number;
  readonly downloads: readonly Download[];
}

export async function downloads(job: DownloadsJob): Promise<DownloadsResult> {
  const clients = job.paths.map((path) => new DownloadClient(path, job));
  // Connecting is not what is measured.
  await Promise.all(clients.map((client) => client.connected()));
  const startedAt = monotonicMs();
  return {
    startedAt,
    downloads: await Promise.all(clients.map((client) => client.run(startedAt))),
  };
}

class DownloadClient {
  readonly #connection: Connection;
  readonly #path: string;
  readonly #job: DownloadsJob;
  readonly #check: BodyCheck;
  readonly #over = Promise.withResolvers<string | undefined>();
  #startedAt = 0;
  #firstByteAt: number | undefined;

  constructor(path: string, job: DownloadsJob) {
    this.#path = path;
    this.#job = job;
    this.#check = new BodyCheck(expectedOf({ path }), job.digest);
    this.#connection = new Connection(
      job.base,
      {
        head: (status) => this.#check.begin(status),
        body: (chunk) => this.#take(chunk),
        end: () => this.#over.resolve(this.#check.finish()),
      },
      (problem) => this.#over.resolve(problem),
    );
  }

  async connected(): Promise<void> {
    await Promise.race([this.#connection.connected(), this.#over.promise]);
  }

  async run(startedAt: number): Promise<Download> {
    this.#startedAt = startedAt;
    const { limitMs } = this.#job;
    const limit =
      limitMs === undefined
        ? undefined
        : setTimeout(() => this.#over.resolve(this.#check.problem), limitMs);
    this.#connection.get(this.#path);
    const problem = await this.#over.promise;
    clearTimeout(limit);
    this.#connection.close();
    const { count: bytes } = this.#check;
    return { firstByteAt: this.#firstByteAt, endedAt: monotonicMs(), bytes, problem };
  }

  #take(chunk: Buffer): void {
    this.#firstByteAt ??= monotonicMs();
    this.#check.take(chunk);
    const { pace } = this.#job;
    if (pace === undefined) return;
    const aheadMs = (this.#check.count / pace) * 1000 - (monotonicMs() - this.#startedAt);
    if (aheadMs <= 0) return;
    this.#connection.pause();
    setTimeout(() => this.#connection.resume(), aheadMs);
  }
}

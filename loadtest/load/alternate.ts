import { monotonicMs } from '../processes/monotonic.ts';
import { BodyCheck } from './body-check.ts';
import { Connection } from './connection.ts';
import { expectedOf } from './shot.ts';

/** One request at a time: the first path from each base in turn, then the second, and so on. */
export interface AlternateJob {
  readonly targets: readonly { readonly base: string; readonly paths: readonly string[] }[];
}

export interface AlternateResult {
  /** For each target, in order: milliseconds of each request, and what was wrong. */
  readonly targets: readonly {
    readonly times: readonly number[];
    readonly problems: readonly string[];
  }[];
}

export async function alternate({ targets }: AlternateJob): Promise<AlternateResult> {
  const clients = targets.map(({ base, paths }) => ({ client: new SequentialClient(base), paths }));
  for (let i = 0; i < Math.max(...targets.map(({ paths }) => paths.length)); i++) {
    for (const { client, paths } of clients) {
      const path = paths[i];
      if (path !== undefined) await client.get(path);
    }
  }
  for (const { client } of clients) client.close();
  return { targets: clients.map(({ client: { times, problems } }) => ({ times, problems })) };
}

class SequentialClient {
  readonly times: number[] = [];
  readonly problems: string[] = [];
  readonly #connection: Connection;
  #check: BodyCheck | undefined;
  #done: (() => void) | undefined;
  #broken = false;

  constructor(base: string) {
    this.#connection = new Connection(
      base,
      {
        head: (status) => this.#check?.begin(status),
        body: (chunk) => this.#check?.take(chunk),
        end: () => this.#done?.(),
      },
      (problem) => {
        this.problems.push(problem);
        this.#broken = true;
        this.#done?.();
      },
    );
  }

  async get(path: string): Promise<void> {
    await this.#connection.connected();
    if (this.#broken) return;
    const check = new BodyCheck(expectedOf({ path }), true);
    this.#check = check;
    const startedAt = monotonicMs();
    const endedAt = await new Promise<number>((resolve) => {
      this.#done = () => resolve(monotonicMs());
      this.#connection.get(path);
    });
    if (this.#broken) return;
    this.times.push(endedAt - startedAt);
    const problem = check.finish();
    if (problem !== undefined) this.problems.push(problem);
  }

  close(): void {
    this.#connection.close();
  }
}

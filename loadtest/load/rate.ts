import { createHistogram } from 'node:perf_hooks';
import { monotonicMs } from '../processes/monotonic.ts';
import { BodyCheck } from './body-check.ts';
import { Connection } from './connection.ts';

/** As many requests for one path as go through, one at a time on each connection. */
export interface RateJob {
  readonly base: string;
  readonly path: string;
  readonly connections: number;
  readonly ms: number;
}

export interface RateResult {
  readonly requests: number;
  /** From the first request to the last response. */
  readonly ms: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly problems: readonly string[];
}

const nsPerMs = 1e6;

export async function rate({ base, path, connections, ms }: RateJob): Promise<RateResult> {
  const histogram = createHistogram();
  const problems = new Set<string>();
  let requests = 0;
  const startedAt = monotonicMs();
  const deadline = startedAt + ms;

  const run = (): Promise<void> =>
    new Promise((resolve) => {
      const check = new BodyCheck(path);
      let sentAt = 0;
      const end = (problem: string | undefined): void => {
        if (problem !== undefined) problems.add(problem);
        connection.close();
        resolve();
      };
      const send = (): void => {
        sentAt = monotonicMs();
        connection.get(path);
      };
      const connection = new Connection(
        base,
        {
          head: (status) => check.begin(status),
          body: (chunk) => check.take(chunk),
          end: () => {
            const now = monotonicMs();
            histogram.record(Math.max(1, Math.round((now - sentAt) * nsPerMs)));
            requests += 1;
            const problem = check.finish();
            if (problem !== undefined || now >= deadline) end(problem);
            else send();
          },
        },
        end,
      );
      send();
    });

  await Promise.all(Array.from({ length: connections }, run));
  return {
    requests,
    ms: monotonicMs() - startedAt,
    p50: histogram.percentile(50) / nsPerMs,
    p99: histogram.percentile(99) / nsPerMs,
    problems: [...problems],
  };
}

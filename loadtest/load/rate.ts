import { createHistogram } from 'node:perf_hooks';
import process from 'node:process';
import { monotonicMs } from '../processes/monotonic.ts';
import { Gun } from './gun.ts';
import { type Expected, expectedOf, type Shot } from './shot.ts';

/** Requests on keep-alive connections, one at a time on each. */
export interface RateJob {
  readonly base: string;
  readonly shots: readonly Shot[];
  /** Which shot is when, by its index, from the first again at the end; without it each in turn. */
  readonly order?: Uint32Array;
  readonly connections: number;
  /** Goes on for this long; without it each of the order is sent once. */
  readonly ms?: number;
  /**
   * As many requests a second, whatever becomes of them, timed from the moment that each is due: a
   * server that stalls is charged for all that waited. Before the first is due each connection has had
   * an answer. Without it as many as go through.
   */
  readonly perSecond?: number;
}

export interface RateResult {
  readonly requests: number;
  /** From the first request to the last response. */
  readonly ms: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Share of the requests that took more than a millisecond, in percent. */
  readonly late: number;
  /**
   * Share of the time in which the load itself stood still for more than a millisecond, in percent:
   * about so many requests were late whatever the server did. Zero where no rate was given.
   */
  readonly stalled: number;
  /** Body bytes. */
  readonly bytes: number;
  /** Share of its core that the load was busy, in percent: near 100 it is what was measured. */
  readonly loadBusy: number;
  readonly problems: readonly string[];
}

interface Target {
  readonly shot: Shot;
  readonly expected: Expected;
}

const nsPerMs = 1e6;
/** Milliseconds: a request that took longer was late, and a load that did nothing for longer stood still. */
const lateMs = 1;
/** How long after the last request of a fixed rate was due its answers are waited for. */
const graceMs = 5_000;

export async function rate(job: RateJob): Promise<RateResult> {
  const histogram = createHistogram();
  const problems = new Set<string>();
  const targets = job.shots.map((shot) => ({ shot, expected: expectedOf(shot) }));
  const guns = Array.from({ length: job.connections }, () => new Gun(job.base));
  await Promise.all(guns.map((gun) => gun.connected()));
  // How connections begin is another matter than how long requests take.
  if (job.perSecond !== undefined) await Promise.all(guns.map((gun) => oneShot(gun, targets)));
  const cpuBefore = process.cpuUsage();
  const startedAt = monotonicMs();
  let requests = 0;
  let bytes = 0;
  let timed = 0;
  let late = 0;
  const heard = (target: Target | undefined, since: number): void => {
    const ms = monotonicMs() - since;
    histogram.record(Math.max(1, Math.round(ms * nsPerMs)));
    timed += 1;
    if (ms > lateMs) late += 1;
    if (!target) return;
    requests += 1;
    bytes += target.expected.to - target.expected.from;
  };
  const drive = job.perSecond === undefined ? closedLoop : openLoop;
  const stalledMs = await drive(job, { guns, targets, startedAt, heard, problems });
  const ms = monotonicMs() - startedAt;
  const { user, system } = process.cpuUsage(cpuBefore);
  for (const gun of guns) gun.close();
  return {
    requests,
    ms,
    p50: histogram.percentile(50) / nsPerMs,
    p99: histogram.percentile(99) / nsPerMs,
    late: (late / Math.max(1, timed)) * 100,
    stalled: (stalledMs / ms) * 100,
    bytes,
    loadBusy: (user + system) / 10 / ms,
    problems: [...problems],
  };
}

/** Whatever is wrong with it, the requests that are measured meet it again. */
function oneShot(gun: Gun, [target]: readonly Target[]): Promise<void> {
  return new Promise((resolve) => {
    if (target) gun.shoot(target.shot, target.expected, () => resolve());
    else resolve();
  });
}

interface Range {
  readonly guns: readonly Gun[];
  readonly targets: readonly Target[];
  readonly startedAt: number;
  /** A response has come; without a target: none will. */
  readonly heard: (target: Target | undefined, since: number) => void;
  readonly problems: Set<string>;
}

/** Each connection asks for the next as soon as it has its answer. */
async function closedLoop(job: RateJob, range: Range): Promise<number> {
  const { guns, startedAt, heard, problems } = range;
  const deadline = job.ms === undefined ? undefined : startedAt + job.ms;
  const next = inOrder(job, range);
  await Promise.all(
    guns.map(
      (gun) =>
        new Promise<void>((resolve) => {
          const shoot = (): void => {
            const target = next();
            if (!target) {
              resolve();
              return;
            }
            const sentAt = monotonicMs();
            gun.shoot(target.shot, target.expected, (problem) => {
              heard(target, sentAt);
              if (problem !== undefined) {
                problems.add(problem);
                resolve();
              } else if (deadline !== undefined && monotonicMs() >= deadline) resolve();
              else shoot();
            });
          };
          shoot();
        }),
    ),
  );
  return 0;
}

/**
 * Requests fall due by the clock; one that finds no free connection waits, and its time runs. For how
 * many milliseconds the loop itself stood still.
 */
async function openLoop(job: RateJob, range: Range): Promise<number> {
  const { guns, startedAt, heard, problems } = range;
  const { perSecond = 0, ms = 0 } = job;
  const next = inOrder(job, range);
  const total = Math.floor((perSecond * ms) / 1000);
  const dueAt = (index: number): number => startedAt + (index / perSecond) * 1000;
  const free = [...guns];
  let sent = 0;
  let answered = 0;
  let stalled = 0;
  let lastTurn = startedAt;
  const over = Promise.withResolvers<void>();
  const shoot = (gun: Gun): void => {
    const target = next();
    if (!target) return;
    const due = dueAt(sent++);
    gun.shoot(target.shot, target.expected, (problem) => {
      heard(target, due);
      answered += 1;
      if (problem !== undefined) {
        problems.add(problem);
        over.resolve();
      } else if (answered === total) over.resolve();
      else if (sent < total && dueAt(sent) <= monotonicMs()) shoot(gun);
      else free.push(gun);
    });
  };
  // Turn by turn without sleep: a timer's millisecond would be measured along.
  const turn = (): void => {
    const now = monotonicMs();
    if (now - lastTurn > lateMs) stalled += now - lastTurn;
    lastTurn = now;
    while (sent < total && dueAt(sent) <= now) {
      const gun = free.pop();
      if (!gun) break;
      shoot(gun);
    }
    // A server that cannot keep up is not waited for for ever.
    if (now > startedAt + ms + graceMs) over.resolve();
    else if (answered < total && problems.size === 0) setImmediate(turn);
  };
  turn();
  await over.promise;
  // What was due and never sent has waited until now, and that is its least.
  for (; problems.size === 0 && sent < total; sent++) heard(undefined, dueAt(sent));
  return stalled;
}

/** The targets one after the other; undefined at the end of a job that sends each once. */
function inOrder({ order, ms }: RateJob, { targets }: Range): () => Target | undefined {
  const length = order?.length ?? targets.length;
  let at = 0;
  return () => {
    if (ms === undefined && at === length) return undefined;
    const index = at++ % length;
    return targets[order?.[index] ?? index];
  };
}

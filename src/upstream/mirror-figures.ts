import type { MirrorExplanation, MirrorFigures } from '../core/mirror-figures.ts';
import type { Ranked } from './mirror-choice.ts';
import type { MirrorGates } from './mirror-gates.ts';
import type { ExplainedPlan, PlannedOption } from './mirror-plan.ts';
import type { MirrorRecord } from './mirror-record.ts';
import { sizeClasses } from './size-class.ts';

/** One mirror as the admin side shows it. */
export function figuresOf(
  origin: string,
  record: MirrorRecord,
  gates: MirrorGates,
  now: number,
): MirrorFigures {
  const { breaker, requests, failures, bytes, hedges, faults } = record;
  const until = breaker.openUntil;
  return {
    origin,
    state: breaker.stateAt(now),
    pausedUntil: until === undefined ? null : new Date(until).toISOString(),
    requests,
    failures,
    bytes,
    hedges,
    faults: Object.fromEntries(faults),
    active: gates.active(origin),
    queued: gates.queued(origin),
    concurrency: record.places ?? null,
    connectMs: tenths(record.connectMs.mean),
    concurrencyGain: hundredths(record.gain.mean),
    lateMs: tenths(record.firstByteDelays.quantile(0.95)),
    classes: Object.fromEntries(
      sizeClasses.flatMap((name) => {
        const averages = record.classes[name];
        if (averages.failures.mean === undefined) return [];
        return [
          [
            name,
            {
              firstByteMs: tenths(averages.firstByteMs.mean),
              throughput: whole(averages.throughput.mean),
              failureRate: hundredths(averages.failures.mean),
              observations: hundredths(averages.firstByteMs.weightAt(now)) ?? 0,
            },
          ],
        ];
      }),
    ),
  };
}

/** A plan in words and figures. */
export function explanationOf(url: string, plan: ExplainedPlan): MirrorExplanation {
  const { ranking, mode, excluded, sizeClass } = plan;
  const [first] = ranking.order;
  return {
    url,
    expectedBytes: Math.round(plan.expectedBytes),
    sizeClass,
    mode,
    candidates: ranking.order.map(candidateOf),
    excluded,
    choice: first?.option.candidate.url ?? url,
    reason: reasons[ranking.reason],
  };
}

const reasons: Readonly<Record<ExplainedPlan['ranking']['reason'], string>> = {
  fastest: 'it has the lowest expected time to completion',
  exploration: 'too little is known of it, and it may be better than the best known one',
  trial: 'its pause is over, and one request tries whether it works again',
  unknown: 'nothing is known of any mirror yet: the nearest, else the first one configured',
  'last resort': 'all of them pause, and its pause ends first',
  'as configured': 'documents that change are asked for in the configured order',
  only: 'there is no other place',
};

function candidateOf({
  option,
  expectedMs,
  queueMs,
  optimisticMs,
}: Ranked<PlannedOption>): MirrorExplanation['candidates'][number] {
  const { candidate, estimate, state } = option;
  return {
    url: candidate.url,
    origin: candidate.origin,
    trust: candidate.trust,
    region: candidate.region ?? null,
    state,
    expectedMs: tenths(expectedMs),
    optimisticMs: tenths(optimisticMs) ?? 0,
    observations: hundredths(estimate?.weight) ?? 0,
    parts:
      estimate === undefined
        ? null
        : {
            queueMs: tenths(queueMs) ?? 0,
            connectMs: tenths(estimate.connectMs) ?? 0,
            firstByteMs: tenths(estimate.firstByteMs) ?? 0,
            transferMs: tenths(estimate.transferMs) ?? 0,
            failureRate: hundredths(estimate.failureRate) ?? 0,
          },
  };
}

function tenths(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value * 10) / 10;
}

function hundredths(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value * 100) / 100;
}

function whole(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value);
}

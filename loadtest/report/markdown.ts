import type { Comparison } from '../sample.ts';
import type { Goal } from '../scenario.ts';
import { machineLine } from './machine.ts';
import type { Outcome, Results } from './results-file.ts';
import { type Figure, Summary } from './summary.ts';
import { isMet, number, renderScenario, renderTable } from './table.ts';

/** A whole run for `docs/performance.md`: what was reached of what, then a table a scenario. */
export function renderRun(results: Results): string {
  const { startedAt, machine, pinned, form, handicap, versions, outcomes } = results;
  const about = [
    `${machineLine(machine)}; ${startedAt.toISOString().slice(0, 10)}`,
    `${Object.entries(versions)
      .filter(([name]) => name !== 'direct' && name !== 'millrace-log')
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
    ...(pinned ? [] : ['servers and load NOT PINNED to cores of their own']),
    ...(form === 'usual' ? [] : [`the form was \`--${form}\``]),
    ...(handicap ? ['the gateway ran with `--handicap`'] : []),
  ];
  const head = ['scenario', 'ratio to nginx', 'by CPU', 'goal', 'reached', ''];
  return [
    `${about.join('. ')}.`,
    '',
    ...renderTable(head, outcomes.flatMap(rowsOf), [
      'left',
      'right',
      'right',
      'left',
      'right',
      'left',
    ]),
    '',
    ...outcomes.map(({ scenario, samples }) =>
      renderScenario(scenario, new Summary(samples), form === 'smoke'),
    ),
  ].join('\n');
}

/** One row for each goal, the first with the ratios. */
function rowsOf({ scenario, samples }: Outcome): string[][] {
  const summary = new Summary(samples);
  const [first, ...others] = scenario.compared;
  const byCpu = others.find(({ key }) => key === 'cpu');
  const ratios = [first, byCpu].map((comparison) => ratioCell(summary, comparison));
  const isVoid = samples.some(({ peer, problems }) => peer === 'millrace' && problems.length > 0);
  const goals = isVoid
    ? [['VOID', '', '']]
    : scenario.goals.map((goal) => goalCells(goal, summary));
  return goals.map((cells, i) =>
    i === 0 ? [scenario.title, ...ratios, ...cells] : ['', '', '', ...cells],
  );
}

function ratioCell(summary: Summary, comparison: Comparison | undefined): string {
  const ratio = comparison && summary.ratio('millrace', 'nginx', comparison);
  return ratio ? withSpread(ratio) : '';
}

function withSpread({ median, least, most }: Figure): string {
  return `${number(median, 2)} (${number(least, 2)}–${number(most, 2)})`;
}

function goalCells(goal: Goal, summary: Summary): string[] {
  const value = goal.value(summary);
  if (value === undefined) return [goal.text, '', 'not measured'];
  return [goal.text, number(value, goal.decimals), isMet(goal, value) ? 'met' : '**missed**'];
}

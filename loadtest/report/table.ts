import type { Goal, Scenario } from '../scenario.ts';
import type { Figure, Summary } from './summary.ts';

/** Whom the ratios are to. */
export const opponents = ['nginx', 'aria2', 'verdaccio', 'direct'] as const;

/** The table of a scenario and what became of its goals, as Markdown; a short form has no goals. */
export function renderScenario(scenario: Scenario, summary: Summary, short: boolean): string {
  const ratios = scenario.compared.flatMap((comparison) =>
    opponents
      .filter((name) => summary.ratio('millrace', name, comparison))
      .map((name) => ({ name, comparison })),
  );
  const head = [
    'peer',
    ...scenario.columns.map(({ label }) => label),
    ...ratios.map(({ name, comparison: { label } }) => `× ${name}${label ? `, ${label}` : ''}`),
  ];
  const rows = summary.peers.map((peer) => [
    peer,
    ...scenario.columns.map(({ key, decimals }) => cell(summary.figure(peer, key), decimals)),
    ...ratios.map(({ name, comparison }) =>
      peer === name ? '1' : cell(summary.ratio(peer, name, comparison), 2),
    ),
  ]);
  const problems = summary.samples.flatMap(({ peer, round, problems }) =>
    problems.map((problem) => `VOID: ${peer}, round ${round + 1}: ${problem}`),
  );
  return [
    `### ${scenario.name}: ${short ? 'a short form of ' : ''}${scenario.title}`,
    '',
    ...renderTable(head, rows),
    '',
    ...(short ? [] : scenario.goals.map((goal) => renderGoal(goal, summary))),
    ...problems,
    '',
  ].join('\n');
}

function renderGoal(goal: Goal, summary: Summary): string {
  const value = goal.value(summary);
  const verdict = value === undefined ? 'not measured' : isMet(goal, value) ? 'met' : 'MISSED';
  return `- ${goal.text}: ${value === undefined ? '' : `${number(value, goal.decimals)}, `}${verdict}`;
}

export function isMet({ atMost, atLeast }: Goal, value: number): boolean {
  return (atMost === undefined || value <= atMost) && (atLeast === undefined || value >= atLeast);
}

/** The median, with the least and the most when there are several. */
function cell(figure: Figure | undefined, decimals: number): string {
  if (!figure) return '–';
  const { median, least, most } = figure;
  const middle = number(median, decimals);
  return least === most
    ? middle
    : `${middle} (${number(least, decimals)}–${number(most, decimals)})`;
}

/** With a blank between thousands. */
export function number(value: number, decimals: number): string {
  return value.toFixed(decimals).replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ' ');
}

/** A table as Markdown; the first column stands left and the others right unless said. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  sides: readonly ('left' | 'right')[] = ['left'],
): string[] {
  const widths = head.map((title, i) =>
    Math.max(title.length, 3, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const isLeft = (i: number): boolean => sides[i] === 'left';
  const line = (cells: readonly string[]): string =>
    `| ${cells
      .map((text, i) => {
        const width = widths[i] ?? 0;
        return isLeft(i) ? text.padEnd(width) : text.padStart(width);
      })
      .join(' | ')} |`;
  const rule = widths.map((width, i) =>
    isLeft(i) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(head), line(rule), ...rows.map(line)];
}

import { type Column, columns } from './columns.ts';

/** A test that has ended, with what its suites say. */
export interface Shown {
  readonly client: string;
  readonly cells: readonly Column[];
  readonly state: 'passed' | 'failed' | 'skipped';
}

/** What a client has not, with the reason. */
export interface Exception {
  readonly client: string;
  readonly column: Column;
  readonly reason: string;
}

const marks = { passed: '✓', failed: '✗', skipped: 'skipped' } as const;
const worstFirst = ['failed', 'passed', 'skipped'] as const;

/**
 * Clients by columns, as Markdown: `✓` where all tests of a cell passed, `✗` where one failed,
 * `skipped` where none ran, `–` where there is nothing to show (the reasons are below), and nothing
 * where no test shows it.
 */
export function tableOf(tests: readonly Shown[], exceptions: readonly Exception[]): string {
  const clients = [...new Set([...tests, ...exceptions].map(({ client }) => client))].sort();
  const rows = clients.map((client) => [
    client,
    ...columns.map((column) => {
      const states = tests
        .filter((each) => each.client === client && each.cells.includes(column))
        .map(({ state }) => state);
      const state = worstFirst.find((each) => states.includes(each));
      if (state !== undefined && state !== 'skipped') return marks[state];
      const isException = exceptions.some(
        (each) => each.client === client && each.column === column,
      );
      return isException ? '–' : state === undefined ? '' : marks[state];
    }),
  ]);
  const all = [['client', ...columns], ...rows];
  const widths = all[0]?.map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0))) ?? [];
  const lines = all.map(
    (row) => `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`,
  );
  lines.splice(1, 0, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`);
  const reasons = exceptions.map(({ client, column, reason }) => `${client}, ${column}: ${reason}`);
  return [...lines, '', ...[...new Set(reasons)].sort()].join('\n').trimEnd();
}

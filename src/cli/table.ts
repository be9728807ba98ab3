/** One column: how it is headed, and on which side its texts stand. */
export interface Column {
  readonly head: string;
  readonly side: 'left' | 'right';
}

/** Lines of texts under each other, two spaces apart; without rows there are none. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  if (rows.length === 0) return [];
  const heads = columns.map(({ head }) => head);
  const widths = columns.map((_, at) =>
    Math.max(...[heads, ...rows].map((row) => (row[at] ?? '').length)),
  );
  return [heads, ...rows].map((row) =>
    columns
      .map(({ side }, at) => {
        const text = row[at] ?? '';
        const width = widths[at] ?? 0;
        return side === 'left' ? text.padEnd(width) : text.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** Lines with their ends; those of an empty text are none. */
export function splitLines(text: string): string[] {
  return text === '' ? [] : text.split(/(?<=\n)/);
}

/** How the lines of a text end. */
export function lineEnd(text: string): '\r\n' | '\n' {
  return /^[^\n]*\r\n/.test(text) ? '\r\n' : '\n';
}

/** A line without its end. */
export function bare(line: string): string {
  return line.replace(/\r?\n$/, '');
}

/** Puts lines (without ends) in front of the one at `at`; what stands before them ends first. */
export function insertLines(
  lines: readonly string[],
  at: number,
  added: readonly string[],
  end: string,
): string {
  const before = lines.slice(0, at).join('');
  const after = lines.slice(at).join('');
  const joint = before === '' || before.endsWith('\n') ? '' : end;
  return `${before}${joint}${added.map((line) => `${line}${end}`).join('')}${after}`;
}

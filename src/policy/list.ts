/**
 * The non-empty members of a comma-separated list, trimmed. A comma inside a quoted string separates
 * nothing; a quote that is never closed opens nothing, so what follows it still counts. RFC 9110
 * sections 5.6.1 and 5.6.4.
 */
export function splitList(text: string): string[] {
  const members: string[] = [];
  let start = 0;
  while (start < text.length) {
    const end = memberEnd(text, start);
    const member = text.slice(start, end).trim();
    if (member !== '') members.push(member);
    start = end + 1;
  }
  return members;
}

/** Position of the comma (or of the end) that closes the member which starts at `start`. */
function memberEnd(text: string, start: number): number {
  let i = start;
  while (i < text.length && text[i] !== ',') {
    i = text[i] === '"' ? (afterQuotedString(text, i) ?? i + 1) : i + 1;
  }
  return Math.min(i, text.length);
}

/** Position after the quoted string that opens at `open`; undefined when it is not closed. */
function afterQuotedString(text: string, open: number): number | undefined {
  for (let i = open + 1; i < text.length; i += 1) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === '"') return i + 1;
  }
  return undefined;
}

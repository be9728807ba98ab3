/**
 * The non-empty members of a comma-separated list, trimmed. A comma inside a quoted string separates
 * nothing; a quote that is never closed opens nothing, so what follows it still counts. RFC 9110
 * sections 5.6.1 and 5.6.4. Takes time in proportion to the text.
 */
export function splitList(text: string): string[] {
  const members: string[] = [];
  const add = (member: string) => {
    if (member !== '') members.push(member);
  };
  let start = 0;
  // Where the next quoted string opens; the text's length when there is none.
  let quote = nextQuote(text, 0);
  for (let comma = text.indexOf(','); comma !== -1; comma = text.indexOf(',', comma)) {
    if (quote < comma) {
      const close = closingQuote(text, quote);
      // Quotes behind one that is never closed are escaped: none of them opens a string.
      quote = close === undefined ? text.length : nextQuote(text, close + 1);
      if (close !== undefined) comma = close;
      continue;
    }
    add(text.slice(start, comma).trim());
    start = comma + 1;
    comma = start;
  }
  add(text.slice(start).trim());
  return members;
}

function nextQuote(text: string, from: number): number {
  const quote = text.indexOf('"', from);
  return quote === -1 ? text.length : quote;
}

/** Position of the quote that closes the string opened at `open`; undefined when there is none. */
function closingQuote(text: string, open: number): number | undefined {
  for (let i = open + 1; i < text.length; i += 1) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === '"') return i;
  }
  return undefined;
}

/**
 * The archive URIs that a one-line sources file (`*.list`) names, in order, sources included. See
 * sources.list(5), "one-line-style format".
 */
export function oneLineUris(text: string): string[] {
  const uris: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const entry = line.replace(/#.*$/, '').trim();
    const match = /^deb(?:-src)?\s+(?:\[[^\]]*\]\s*)?(\S+)\s+\S/.exec(entry);
    if (match?.[1] !== undefined) uris.push(match[1]);
  }
  return uris;
}

/**
 * The archive URIs that a deb822 sources file (`*.sources`) names, in order; stanzas that are not
 * enabled are left out. See sources.list(5), "deb822-style format".
 */
export function stanzaUris(text: string): string[] {
  const uris: string[] = [];
  for (const stanza of readStanzas(text)) {
    // The words that apt takes for "no".
    if (/^(no|false|without|off|disable|0)$/i.test(stanza.get('enabled') ?? 'yes')) continue;
    uris.push(...(stanza.get('uris') ?? '').split(/\s+/).filter((uri) => uri !== ''));
  }
  return uris;
}

/** Fields by lower-case name; a line that begins with a blank continues the field before it. */
function readStanzas(text: string): Map<string, string>[] {
  const stanzas: Map<string, string>[] = [];
  let stanza = new Map<string, string>();
  let field = '';
  for (const line of text.split(/\r?\n/)) {
    // A comment, anywhere, even between continued lines; it does not end a stanza.
    if (line.startsWith('#')) continue;
    if (line.trim() === '') {
      if (stanza.size > 0) stanzas.push(stanza);
      stanza = new Map();
      field = '';
      continue;
    }
    const match = /^([^\s:]+):(.*)$/.exec(line);
    if (match) {
      field = (match[1] ?? '').toLowerCase();
      stanza.set(field, (match[2] ?? '').trim());
    } else if (field !== '') {
      stanza.set(field, `${stanza.get(field)} ${line.trim()}`.trim());
    }
  }
  if (stanza.size > 0) stanzas.push(stanza);
  return stanzas;
}

/**
 * Header fields as they came: a flat list `[name, value, name, value, …]` in order, duplicates and
 * case kept, values as latin1 strings. It is what Node's parser gives and `writeHead` takes.
 */
export type RawHeaders = readonly string[];

/** All values of the field, in order; `name` in lower case. */
export function fieldLines(headers: RawHeaders, name: string): readonly string[] {
  let lines: string[] | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (!isNamed(headers[i], name)) continue;
    lines ??= [];
    lines.push(headers[i + 1] as string);
  }
  return lines ?? none;
}

const none: readonly string[] = [];

/** The value of a field that is there once; `name` in lower case. */
export function soleLine(headers: RawHeaders, name: string): string | undefined {
  let value: string | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (!isNamed(headers[i], name)) continue;
    if (value !== undefined) return undefined;
    value = headers[i + 1];
  }
  return value;
}

/** The field's combined value (RFC 9110 section 5.3), or undefined when it is absent; `name` in lower case. */
export function fieldValue(headers: RawHeaders, name: string): string | undefined {
  let value: string | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (!isNamed(headers[i], name)) continue;
    value = value === undefined ? headers[i + 1] : `${value}, ${headers[i + 1]}`;
  }
  return value;
}

/** The list without the named fields, the same one where there are none of these; names in lower case. */
export function withoutFields(headers: RawHeaders, names: ReadonlySet<string>): RawHeaders {
  let kept: string[] | undefined;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    if (names.has(name.toLowerCase())) kept ??= headers.slice(0, i);
    else kept?.push(name, headers[i + 1] as string);
  }
  return kept ?? headers;
}

/** Whether a field has the name, which is in lower case. */
export function isNamed(candidate: string | undefined, lowerCaseName: string): boolean {
  return (
    candidate !== undefined &&
    candidate.length === lowerCaseName.length &&
    (candidate === lowerCaseName || candidate.toLowerCase() === lowerCaseName)
  );
}

/** What lies at a path of a JSON document that somebody else made; undefined where nothing does. */
export function valueAt(document: unknown, ...path: readonly string[]): unknown {
  let value = document;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
  }
  return value;
}

export function numberAt(document: unknown, ...path: readonly string[]): number | undefined {
  const value = valueAt(document, ...path);
  return typeof value === 'number' ? value : undefined;
}

export function textAt(document: unknown, ...path: readonly string[]): string | undefined {
  const value = valueAt(document, ...path);
  return typeof value === 'string' ? value : undefined;
}

/** The members of a list, none where there is no list. */
export function listAt(document: unknown, ...path: readonly string[]): readonly unknown[] {
  const value = valueAt(document, ...path);
  return Array.isArray(value) ? value : [];
}

/** Names and numbers of an object, those that are numbers. */
export function countsAt(
  document: unknown,
  ...path: readonly string[]
): readonly (readonly [string, number])[] {
  const value = valueAt(document, ...path);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, count]) =>
    typeof count === 'number' ? [[name, count] as const] : [],
  );
}

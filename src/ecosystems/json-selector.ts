/**
 * Strings of a JSON document by the keys of the objects around them: `'*'` stands for any key, `'[]'`
 * for the elements of an array (which is not entered without it), `true` marks the string.
 */
export interface StringSelector {
  readonly [key: string]: StringSelector | true;
}

/** What a selector says of a key's value. */
export type Child = Compiled | true;

/** A selector in the form in which a document's bytes are compared with it. */
export interface Compiled {
  readonly keys: readonly KnownKey[];
  /** For any other key. */
  readonly any: Child | undefined;
  /** For the elements of an array. */
  readonly element: Child | undefined;
}

interface KnownKey {
  readonly key: string;
  /** As JSON has it without escapes, in UTF-8. */
  readonly bytes: Uint8Array;
  readonly child: Child;
}

const backslash = 0x5c;

export function compiled(selector: StringSelector): Compiled {
  const children = Object.entries(selector).map(
    ([key, child]) => [key, child === true ? true : compiled(child)] as const,
  );
  const own = (wanted: string) => children.find(([key]) => key === wanted)?.[1];
  return {
    keys: children
      .filter(([key]) => key !== '*' && key !== '[]')
      .map(([key, child]) => ({ key, bytes: Buffer.from(key), child })),
    any: own('*'),
    element: own('[]'),
  };
}

/** Which of the keys stands between `start` and `end` of a document; escapes are understood. */
export function knownKey(
  keys: readonly KnownKey[],
  bytes: Buffer,
  start: number,
  end: number,
): KnownKey | undefined {
  for (const known of keys) {
    if (known.bytes.length === end - start && isAt(known.bytes, bytes, start)) return known;
  }
  for (let at = start; at < end; at++) {
    if (bytes[at] === backslash) return escapedKey(keys, bytes.toString('utf8', start, end));
  }
  return undefined;
}

function isAt(wanted: Uint8Array, bytes: Buffer, start: number): boolean {
  for (let at = 0; at < wanted.length; at++) {
    if (bytes[start + at] !== wanted[at]) return false;
  }
  return true;
}

function escapedKey(keys: readonly KnownKey[], text: string): KnownKey | undefined {
  try {
    const value: unknown = JSON.parse(`"${text}"`);
    return keys.find(({ key }) => key === value);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

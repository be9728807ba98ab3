import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
} from 'yaml';
import type { Path, Problem } from './problem.ts';

/** A parsed file that still knows where each value stands. */
export interface YamlSource {
  /** Plain data; undefined when the text is not YAML, and then there are problems. */
  readonly data: unknown;
  readonly problems: readonly Problem[];
  /** Line and column, from 1, of the value at a path, or of the nearest thing around it. */
  placeOfValue(path: Path): Place;
  /** The same for the key itself. */
  placeOfKey(path: Path): Place;
}

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Reads YAML 1.2; `file` is only a name for the problems. Duplicate keys are problems. */
export function readYaml(file: string, text: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const problems: Problem[] = [...document.errors, ...document.warnings].map((error) => ({
    source: file,
    ...at(error.pos[0]),
    path: '',
    wrong: error.code === 'DUPLICATE_KEY' ? 'this key was given before' : error.message,
    ...(error.code === 'DUPLICATE_KEY' ? { right: 'keep one of the two' } : {}),
  }));
  // With a duplicate key the rest can still be checked; after a syntax error it would be guessing.
  const readable = document.errors.every((error) => error.code === 'DUPLICATE_KEY');
  return {
    data: readable ? toData(document, file, problems) : undefined,
    problems,
    placeOfValue: (path) => at(findNode(document, path).value),
    placeOfKey: (path) => at(findNode(document, path).key),
  };
}

function toData(document: Document.Parsed, file: string, problems: Problem[]): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (cause) {
    // Aliases that multiply: the library's guard against small texts that become huge.
    const wrong = cause instanceof Error ? cause.message : String(cause);
    problems.push({ source: file, path: '', wrong, right: 'write the values out' });
    return undefined;
  }
}

/** Offsets of the key and the value at a path; where the path ends early, of what was found last. */
function findNode(document: Document.Parsed, path: Path): { key: number; value: number } {
  let node: unknown = document.contents;
  let found = { key: offsetOf(node, 0), value: offsetOf(node, 0) };
  for (const part of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === part);
      if (!pair) return found;
      const key = offsetOf(pair.key, found.value);
      node = pair.value;
      found = { key, value: isScalar(node) && node.value === null ? key : offsetOf(node, key) };
    } else if (isSeq(node) && typeof part === 'number' && part < node.items.length) {
      node = node.items[part];
      const offset = offsetOf(node, found.value);
      found = { key: offset, value: offset };
    } else {
      return found;
    }
  }
  return found;
}

function offsetOf(node: unknown, fallback: number): number {
  return (node as Node | null | undefined)?.range?.[0] ?? fallback;
}

import { type JsonNode, scanJson } from './json-scan.ts';
import { lineEnd } from './lines.ts';

/** One value in a JSON file, at names inside each other; all other bytes stay. */
export interface JsonTarget {
  readonly path: readonly [string, ...string[]];
  readonly value: unknown;
  /** The file, for messages. */
  readonly file: string;
}

/** The text with the value set; unchanged when it says so already. Throws a TypeError by design. */
export function withJsonValue(text: string | undefined, { path, value, file }: JsonTarget): string {
  if (text === undefined || text.trim() === '') {
    return `${JSON.stringify(nested(path, value), undefined, 4)}\n`;
  }
  parsed(text, file);
  let node = scanJson(text);
  for (const [depth, name] of path.entries()) {
    if (node.kind !== 'object') {
      const where = path.slice(0, depth).join('.') || 'the file';
      throw new TypeError(`${file}: ${where} is not a JSON object: change it by hand`);
    }
    const member = node.members.findLast((each) => each.name === name);
    if (member === undefined) {
      return withMember(text, node, name, nested(path.slice(depth + 1), value));
    }
    node = member.node;
  }
  const old: unknown = JSON.parse(text.slice(node.from, node.to));
  if (JSON.stringify(old) === JSON.stringify(value)) return text;
  const written = printed(value, text, indentBefore(text, node.from));
  return `${text.slice(0, node.from)}${written}${text.slice(node.to)}`;
}

/** What a JSON file says at a path; undefined where there is nothing. Throws a TypeError by design. */
export function jsonValue(
  text: string | undefined,
  path: readonly string[],
  file: string,
): unknown {
  let value = text === undefined || text.trim() === '' ? undefined : parsed(text, file);
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name))
      return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new TypeError(`${file} is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

function withMember(text: string, node: JsonNode, name: string, value: unknown): string {
  const last = node.members.at(-1);
  const first = node.members[0];
  const end = lineEnd(text);
  const outer = indentBefore(text, node.from);
  const sameLine = first !== undefined && !text.slice(node.from, first.from).includes('\n');
  const deeper = `${outer}${stepOf(text)}`;
  const inner = first === undefined ? deeper : sameLine ? outer : indentBefore(text, first.from);
  const member = `${JSON.stringify(name)}: ${printed(value, text, inner)}`;
  if (last === undefined) {
    return `${text.slice(0, node.from)}{${end}${inner}${member}${end}${outer}}${text.slice(node.to)}`;
  }
  const joint = sameLine ? ', ' : `,${end}${inner}`;
  return `${text.slice(0, last.node.to)}${joint}${member}${text.slice(last.node.to)}`;
}

function printed(value: unknown, text: string, indent: string): string {
  const lines = JSON.stringify(value, undefined, stepOf(text)).split('\n');
  return lines.join(`${lineEnd(text)}${indent}`);
}

/** What a level of this text is indented by. */
function stepOf(text: string): string {
  return /^[{[]\r?\n([ \t]+)/.exec(text.trimStart())?.[1] ?? '    ';
}

/** The blanks that the line of an offset begins with. */
function indentBefore(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  return /^[ \t]*/.exec(line)?.[0] ?? '';
}

function nested(path: readonly string[], value: unknown): unknown {
  return path.reduceRight((inner: unknown, name) => ({ [name]: inner }), value);
}

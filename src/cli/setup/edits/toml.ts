import { bare, insertLines, lineEnd, splitLines } from './lines.ts';

/**
 * One string in a TOML file. The libraries for TOML print a file anew, without its comments; here
 * every line but one stays. What is written in another way than as a line below its table's head is
 * refused rather than guessed at.
 */
export interface TomlTarget {
  /** The table's name; `[]` is what stands before the first head. */
  readonly table: readonly string[];
  readonly key: string;
  readonly value: string;
  /** The file, for messages. */
  readonly file: string;
}

interface Line {
  readonly at: number;
  readonly path: readonly string[];
  /** Where the value begins in the line. */
  readonly from: number;
}

interface Scanned {
  readonly lines: readonly Line[];
  /** Names of the tables, with the line after their last one that is not blank. */
  readonly tables: readonly {
    readonly path: readonly string[];
    readonly array: boolean;
    end: number;
  }[];
}

/** The text with the string set; unchanged when it says so already. Throws a TypeError by design. */
export function withTomlString(text: string | undefined, target: TomlTarget): string {
  const now = text ?? '';
  const lines = splitLines(now);
  const { tables, lines: settings } = scan(lines);
  const path = [...target.table, target.key];
  const found = settings.find((line) => same(line.path, path));
  if (found) return replaced(lines, found, target);
  const inline = settings.find((line) => same(line.path, path.slice(0, line.path.length)));
  if (inline || tables.some((table) => table.array && same(table.path, target.table))) {
    throw new TypeError(
      `${target.file}: \`${target.table.join('.')}\` is not written as a table of its own there, so it cannot be changed safely: write \`${target.key} = ${JSON.stringify(target.value)}\` into it by hand`,
    );
  }
  const line = `${target.key} = ${JSON.stringify(target.value)}`;
  const table = tables.find((each) => same(each.path, target.table));
  if (table) return insertLines(lines, table.end, [line], lineEnd(now));
  const head = `[${target.table.map(tomlKey).join('.')}]`;
  const gap = now.trim() === '' ? [] : [''];
  return insertLines(lines, lines.length, [...gap, head, line], lineEnd(now));
}

/** The string at a path, undefined where there is none that is written on one line. */
export function tomlString(text: string | undefined, path: readonly string[]): string | undefined {
  const lines = splitLines(text ?? '');
  const found = scan(lines).lines.find((line) => same(line.path, path));
  return found && stringAt(bare(lines[found.at] ?? '').slice(found.from))?.value;
}

/**
 * The number of the array-of-tables entry (`[[name]]`) that has a line which matches, as `withTomlEntry`
 * wants it; undefined where there is none.
 */
export function withTomlEntry(
  text: string,
  name: string,
  having: RegExp,
  key: string,
  target: Omit<TomlTarget, 'table' | 'key'>,
): string | undefined {
  const lines = splitLines(text);
  const heads = lines.flatMap((line, at) => (isHead(line) ? [at] : []));
  for (const head of heads) {
    if (!new RegExp(`^\\s*\\[\\[\\s*${name}\\s*\\]\\]`).test(lines[head] ?? '')) continue;
    const end = heads.find((at) => at > head) ?? lines.length;
    const inside = lines.slice(head + 1, end);
    if (!inside.some((line) => having.test(line))) continue;
    const at = inside.findIndex((line) => new RegExp(`^\\s*${key}\\s*=`).test(line));
    if (at === -1) return undefined;
    const from = bare(inside[at] ?? '').indexOf('=') + 1;
    return replaced(
      lines,
      { at: head + 1 + at, path: [name, key], from },
      { ...target, table: [name], key },
    );
  }
  return undefined;
}

function replaced(lines: readonly string[], { at, from }: Line, target: TomlTarget): string {
  const line = lines[at] ?? '';
  const rest = line.slice(from);
  const blank = /^\s*/.exec(rest)?.[0].length ?? 0;
  const old = stringAt(rest);
  if (old === undefined) {
    throw new TypeError(
      `${target.file}: \`${target.key}\` of \`${target.table.join('.')}\` is not a string on one line: write \`${target.key} = ${JSON.stringify(target.value)}\` by hand`,
    );
  }
  if (old.value === target.value) return lines.join('');
  const changed = `${line.slice(0, from + blank)}${JSON.stringify(target.value)}${rest.slice(old.end)}`;
  return [...lines.slice(0, at), changed, ...lines.slice(at + 1)].join('');
}

/** The string literal that a text begins with, and where it ends. */
function stringAt(text: string): { readonly value: string; readonly end: number } | undefined {
  const basic = /^\s*("(?:[^"\\]|\\.)*")(?!")/.exec(text);
  if (basic?.[1] !== undefined && !/^\s*"""/.test(text)) {
    try {
      return { value: JSON.parse(basic[1]) as string, end: basic[0].length };
    } catch (error) {
      // TOML has escapes that JSON has not: `\U0001F600`, `\e`.
      if (!(error instanceof SyntaxError)) throw error;
      return { value: basic[1], end: basic[0].length };
    }
  }
  const literal = /^\s*'([^']*)'(?!')/.exec(text);
  if (literal?.[1] === undefined || /^\s*'''/.test(text)) return undefined;
  return { value: literal[1], end: literal[0].length };
}

const keyPart = String.raw`(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')`;
const keyPath = String.raw`${keyPart}(?:\s*\.\s*${keyPart})*`;
const headLine = new RegExp(String.raw`^\s*(\[\[?)\s*(${keyPath})\s*\]\]?\s*(?:#.*)?$`);
const settingLine = new RegExp(String.raw`^\s*(${keyPath})\s*=`);

function isHead(line: string): boolean {
  return headLine.test(bare(line));
}

function scan(lines: readonly string[]): Scanned {
  const settings: Line[] = [];
  const tables: { path: readonly string[]; array: boolean; end: number }[] = [
    { path: [], array: false, end: 0 },
  ];
  let depth = 0;
  let quotes = '';
  for (const [at, whole] of lines.entries()) {
    const line = bare(whole);
    const current = tables.at(-1);
    if (current === undefined) break;
    if (quotes === '' && depth === 0) {
      const head = headLine.exec(line);
      if (head) {
        tables.push({ path: parts(head[2] ?? ''), array: head[1] === '[[', end: at + 1 });
        continue;
      }
      const setting = settingLine.exec(line);
      if (setting) {
        const path = [...current.path, ...parts(setting[1] ?? '')];
        if (!current.array) settings.push({ at, path, from: setting[0].length });
      }
    }
    if (line.trim() !== '') current.end = at + 1;
    ({ depth, quotes } = after(line, depth, quotes));
  }
  return { lines: settings, tables };
}

/** How deep in arrays, and in which multi-line string, a line ends. */
function after(line: string, depthBefore: number, quotesBefore: string) {
  let depth = depthBefore;
  let quotes = quotesBefore;
  const tokens = /"""|'''|"(?:[^"\\]|\\.)*"|'[^']*'|#.*|[[\]{}]|\\./g;
  for (const [token] of line.matchAll(tokens)) {
    if (token === '"""' || token === "'''") {
      if (quotes === '') quotes = token;
      else if (quotes === token) quotes = '';
    } else if (quotes === '') {
      if (token === '[' || token === '{') depth += 1;
      else if (token === ']' || token === '}') depth -= 1;
    }
  }
  return { depth, quotes };
}

function parts(path: string): string[] {
  return [...path.matchAll(new RegExp(keyPart, 'g'))].map(([part]) =>
    /^["']/.test(part) ? part.slice(1, -1) : part,
  );
}

function tomlKey(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name);
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((part, at) => part === other[at]);
}

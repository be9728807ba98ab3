import { isMap, isScalar, isSeq, type Node, parseAllDocuments } from 'yaml';
import { insertLines, lineEnd, splitLines } from './lines.ts';

/**
 * One setting at the top of a YAML file. The library says where things are; only that place of the
 * text is changed, since printing its document would fold lines and change quotes.
 */
export interface YamlTarget {
  readonly key: string;
  readonly value: string | boolean | readonly string[];
  /** The file, for messages. */
  readonly file: string;
}

/** The text with the setting set; unchanged when it says so already. Throws a TypeError by design. */
export function withYamlSetting(text: string | undefined, target: YamlTarget): string {
  const now = text ?? '';
  const end = lineEnd(now);
  const { file, key, value } = target;
  const contents = contentsOf(now, file);
  if (contents === undefined) {
    const lines = splitLines(now);
    return insertLines(lines, lines.length, settingLines(target), end);
  }
  const pair = contents.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
  if (pair === undefined) {
    const first = contents.items[0]?.key as Node | undefined;
    const indent = columnOf(now, first?.range?.[0] ?? 0);
    const lines = splitLines(now);
    const added = settingLines(target).map((line) => `${' '.repeat(indent)}${line}`);
    return insertLines(lines, lines.length, added, end);
  }
  const node = pair.value as Node | null;
  if (JSON.stringify(plain(node)) === JSON.stringify(value)) return now;
  const from = (pair.key as Node).range?.[0] ?? 0;
  const keyEnd = (pair.key as Node).range?.[1] ?? from;
  const colon = now.indexOf(':', keyEnd) + 1;
  const to = Math.max(colon, node?.range?.[1] ?? colon);
  const indent = ' '.repeat(columnOf(now, from));
  const added = settingLines(target).join(`${end}${indent}`);
  // A block of lines may take its last line's end with it.
  const tail = /\r?\n$/.test(now.slice(from, to)) ? end : '';
  return `${now.slice(0, from)}${added}${tail}${now.slice(to)}`;
}

/** The strings of a list, or the one string, at a key; none where there are none. */
export function yamlStrings(text: string | undefined, key: string, file: string): string[] {
  const contents = contentsOf(text ?? '', file);
  const found = contents?.items.find((item) => isScalar(item.key) && item.key.value === key);
  const value = plain((found?.value ?? null) as Node | null);
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((each) => typeof each === 'string');
}

function contentsOf(text: string, file: string) {
  const documents = parseAllDocuments(text, { uniqueKeys: false });
  const list = Array.isArray(documents) ? documents : [];
  const problem = list.flatMap(({ errors }) => errors)[0];
  if (problem) throw new TypeError(`${file} is not YAML as it should be: ${problem.message}`);
  if (list.length > 1)
    throw new TypeError(`${file} has several YAML documents: it should have one`);
  const contents = list[0]?.contents ?? null;
  if (contents === null || (isScalar(contents) && contents.value === null)) return undefined;
  if (!isMap(contents) || contents.flow === true) {
    throw new TypeError(`${file} is not a YAML map of one setting a line: change it by hand`);
  }
  return contents.items.length === 0 ? undefined : contents;
}

function plain(node: Node | null): unknown {
  if (isScalar(node)) return node.value;
  if (isSeq(node)) return node.items.map((item) => (isScalar(item) ? item.value : undefined));
  return undefined;
}

function settingLines({ key, value }: YamlTarget): string[] {
  const name = /^[\w.]+$/.test(key) || /^:[\w]+$/.test(key) ? key : quotedKey(key);
  if (typeof value === 'string') return [`${name}: ${JSON.stringify(value)}`];
  if (typeof value === 'boolean') return [`${name}: ${value}`];
  return [`${name}:`, ...value.map((each) => `- ${JSON.stringify(each)}`)];
}

/** Bundler reads its file by lines and knows keys without quotes only; these have `/` and `:` inside. */
function quotedKey(key: string): string {
  return /^[\w./:-]+$/.test(key) && !/:\s|:$|^-/.test(key) ? key : JSON.stringify(key);
}

function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1);
}

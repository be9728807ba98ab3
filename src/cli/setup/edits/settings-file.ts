import { bare, insertLines, lineEnd, splitLines } from './lines.ts';

/**
 * How a file of lines writes a setting. The libraries for these formats print a whole file anew,
 * without comments or order; here every line but one stays as it is.
 */
export interface LineStyle {
  /** A setting, with the groups `indent`, `key` and `value`. */
  readonly setting: RegExp;
  /** A section's head, with the group `name`, where the format has them. */
  readonly section?: RegExp;
  /** Indented lines go on with the value before them. */
  readonly continues?: boolean;
  write(key: string, value: string): string;
  /** The value that is meant by what stands there. */
  value(written: string): string;
  /** Spellings of one key come out the same. */
  readonly key?: (name: string) => string;
}

/** INI as npm and pnpm read it. */
export const npmrcStyle: LineStyle = {
  setting: /^(?<indent>\s*)(?<key>"[^"]*"|[^\s=;#[][^=]*?)\s*=\s*(?<value>.*?)\s*$/,
  section: /^\s*\[(?<name>[^\]]*)\]\s*$/,
  write: (key, value) => `${key}=${value}`,
  value: unquoted,
};

/** INI as Python's configparser reads it, with pip's names. */
export const pipStyle: LineStyle = {
  setting: /^(?<indent>)(?<key>[^\s=:#;[][^=:]*?)\s*[=:]\s*(?<value>.*?)\s*$/,
  section: /^\[(?<name>[^\]]*)\]/,
  continues: true,
  write: (key, value) => `${key} = ${value}`,
  value: (written) => written,
  key: (name) => name.toLowerCase().replaceAll('_', '-').replace(/^--/, ''),
};

/** `.yarnrc` of Yarn before 2. */
export const yarnrcStyle: LineStyle = {
  setting: /^(?<indent>)(?<key>"[^"]*"|[^\s"#][^\s]*)\s+(?<value>.*?)\s*$/,
  write: (key, value) => `${key} ${JSON.stringify(value)}`,
  value: unquoted,
};

/** `NAME=value`, as the go command keeps its variables and Gradle its properties. */
export const plainStyle: LineStyle = {
  setting: /^(?<indent>\s*)(?<key>[^\s=#!:][^\s=:]*)\s*[=:]\s*(?<value>.*?)\s*$/,
  write: (key, value) => `${key}=${value}`,
  value: (written) => written.replace(/\\([:=\\])/g, '$1'),
};

/** The text with several settings set. */
export function withSettings(
  text: string | undefined,
  style: LineStyle,
  section: string | undefined,
  settings: Readonly<Record<string, string>>,
): string {
  return Object.entries(settings).reduce(
    (now: string, [key, value]) => withSetting(now, style, section, key, value),
    text ?? '',
  );
}

interface Found {
  /** Line numbers from and up to. */
  readonly from: number;
  readonly to: number;
  readonly indent: string;
  readonly value: string;
}

/** The value of a setting; the last of several, as all of these formats have it. */
export function settingIn(
  text: string | undefined,
  style: LineStyle,
  section: string | undefined,
  key: string,
): string | undefined {
  return search(splitLines(text ?? ''), style, section, key).found?.value;
}

/** The text with a setting set; unchanged when it says so already. */
export function withSetting(
  text: string | undefined,
  style: LineStyle,
  section: string | undefined,
  key: string,
  value: string,
): string {
  const now = text ?? '';
  const lines = splitLines(now);
  const end = lineEnd(now);
  const { found, inSection } = search(lines, style, section, key);
  if (found) {
    if (found.value === value) return now;
    const last = lines[found.to - 1] ?? '';
    const line = `${found.indent}${style.write(key, value)}${last.slice(bare(last).length)}`;
    return [...lines.slice(0, found.from), line, ...lines.slice(found.to)].join('');
  }
  if (inSection !== undefined) {
    return insertLines(lines, inSection, [style.write(key, value)], end);
  }
  const gap = now.trim() === '' ? [] : [''];
  return insertLines(lines, lines.length, [...gap, `[${section}]`, style.write(key, value)], end);
}

/** Where a setting is, and after which line of its section one would be added. */
function search(
  lines: readonly string[],
  style: LineStyle,
  section: string | undefined,
  key: string,
): { found: Found | undefined; inSection: number | undefined } {
  const wanted = style.key?.(key) ?? key;
  let current: string | undefined;
  let found: Found | undefined;
  let inSection = section === undefined ? 0 : undefined;
  for (let at = 0; at < lines.length; at += 1) {
    const line = bare(lines[at] ?? '');
    const head = style.section?.exec(line)?.groups;
    if (head) current = head.name;
    if (current === section && line.trim() !== '') inSection = at + 1;
    const groups = head ? undefined : style.setting.exec(line)?.groups;
    if (groups === undefined || current !== section) continue;
    const values = [groups.value ?? ''];
    const from = at;
    while (style.continues === true && /^\s+\S/.test(lines[at + 1] ?? '')) {
      at += 1;
      values.push(bare(lines[at] ?? '').trim());
      inSection = at + 1;
    }
    const name = unquoted(groups.key ?? '');
    if ((style.key?.(name) ?? name) !== wanted) continue;
    const value = style.value(values.filter((each) => each !== '').join(' '));
    found = { from, to: at + 1, indent: groups.indent ?? '', value };
  }
  return { found, inSection };
}

function unquoted(written: string): string {
  return /^"([^"\\]*)"$/.exec(written)?.[1] ?? /^'([^']*)'$/.exec(written)?.[1] ?? written;
}

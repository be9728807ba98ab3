import type { FileChange } from './change.ts';
import { diffLines } from './diff.ts';

/** What changes in files, for people: each file's path, and its lines that go and come. */
export function changeLines(changes: readonly FileChange[]): string {
  return changes
    .map(({ path, from, to, about }) => {
      const what = from === undefined ? ' (new)' : to === undefined ? ' (removed)' : '';
      const subject = about === undefined ? '' : `: ${about}`;
      const isText = about === undefined && isShown(path);
      const lines = isText ? diffLines(textIn(from?.content), textIn(to?.content)) : [];
      return [`${path}${what}${subject}`, ...lines.map((line) => `  ${line}`), ''].join('\n');
    })
    .join('');
}

/** Variables that a tool needs besides, as a shell takes them. */
export function environmentLines(
  tool: string,
  env: Readonly<Record<string, string>> | undefined,
): string[] {
  if (env === undefined || Object.keys(env).length === 0) return [];
  const lines = Object.entries(env).map(([name, value]) => `  export ${name}=${quoted(value)}`);
  return [
    `${tool} takes this from its environment alone; put it where your shell begins:`,
    ...lines,
  ];
}

/** Certificates are long and say nothing to people. */
function isShown(path: string): boolean {
  return !/\.(?:pem|crt|jks)$/.test(path);
}

function textIn(content: Uint8Array | undefined): string {
  return content === undefined ? '' : Buffer.from(content).toString();
}

function quoted(value: string): string {
  return /^[\w./:@%+=,[\]-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

/** Something in a configuration that cannot be used. */
export interface Problem {
  /** The file as it was named, or the variable or flag. */
  readonly source: string;
  /** Counted from 1, in characters; where the source is a file. */
  readonly line?: number;
  readonly column?: number;
  /** The setting, such as `mounts[0].path`; empty for the source as a whole. */
  readonly path: string;
  readonly wrong: string;
  readonly right?: string;
}

export type Path = readonly (string | number)[];

/** `millrace.yaml:3:9: listen.port: "x" is not a port; give a whole number …`, without a newline. */
export function formatProblem(problem: Problem): string {
  const { source, line, column, path, wrong, right } = problem;
  const place = line === undefined ? source : `${source}:${line}:${column ?? 1}`;
  const what = path === '' ? wrong : `${path}: ${wrong}`;
  return `${place}: ${what}${right === undefined ? '' : `; ${right}`}`;
}

/** `['mounts', 0, 'path']` as `mounts[0].path`. */
export function formatPath(path: Path): string {
  return path
    .map((part, at) => (typeof part === 'number' ? `[${part}]` : at === 0 ? part : `.${part}`))
    .join('');
}

/** What each client is to show, in the order of the table. */
export const columns = [
  /** Installs through the gateway. */
  'cold',
  /** Again from nothing, within freshness: the upstream is switched off and nothing is asked of it. */
  'warm',
  /** Again once all is stale: one conditional request an index, none for a file. */
  'stale',
  /** A file that was corrupted upstream is refused and not stored. */
  'corrupted',
  /** Several at once: the upstream gives each file once. */
  'concurrent',
  /** The lockfile is what it is without the gateway. */
  'lockfile',
  /** The same by interception. */
  'HTTPS_PROXY',
] as const;

export type Column = (typeof columns)[number];

declare module 'vitest' {
  interface TaskMeta {
    /** Of a suite: the row of the table that its tests belong to; empty: the suite's own name. */
    client?: string;
    /** Of such a suite: what this client has not, with the reason. */
    cannot?: Partial<Record<Column, string>>;
    /** Of a test: what it shows when it passes. */
    shows?: readonly Column[];
  }
}

interface SuiteOptions {
  readonly meta: { client: string; cannot?: Partial<Record<Column, string>> };
}

/** The options of a suite about one client; without a name the suite has that of the client. */
export function client(name = '', cannot?: Partial<Record<Column, string>>): SuiteOptions {
  return { meta: { client: name, ...(cannot !== undefined && { cannot }) } };
}

/** The options of a test that shows these cells. */
export function shows(...cells: readonly Column[]): {
  readonly meta: { shows: readonly Column[] };
} {
  return { meta: { shows: cells } };
}

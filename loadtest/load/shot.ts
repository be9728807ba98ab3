import { bodyOfPath, type GeneratedBody } from '../fixtures/generated-body.ts';

/** One request and what its response must be. */
export interface Shot {
  /** Of a generated body, with whatever a mount puts before it. */
  readonly path: string;
  /** More field lines, each with its line ending. */
  readonly fields?: string;
  /** 200 unless said. */
  readonly status?: 200 | 206 | 304;
  /** First and last position of a 206. */
  readonly range?: readonly [first: number, last: number];
}

/** What a response must have. */
export interface Expected {
  readonly body: GeneratedBody;
  readonly status: number;
  /** First position, and the one after the last. */
  readonly from: number;
  readonly to: number;
}

/** Throws where the path is none of a generated body. */
export function expectedOf({ path, status = 200, range }: Shot): Expected {
  const found = bodyOfPath(path);
  if (!found) throw new Error(`not a path of the origin: ${path}`);
  const { body } = found;
  if (status === 304) return { body, status, from: 0, to: 0 };
  return { body, status, from: range?.[0] ?? 0, to: (range?.[1] ?? body.size - 1) + 1 };
}

import { type Content, contentOf, contentOfPath } from '../fixtures/content.ts';

/** One request and what its response must be. */
export interface Shot {
  /** Of a generated body, with whatever a mount puts before it, or of the document. */
  readonly path: string;
  /** The body where it is no generated one. */
  readonly document?: string;
  /** More field lines, each with its line ending. */
  readonly fields?: string;
  /** 200 unless said. */
  readonly status?: 200 | 206 | 304;
  /** First and last position of a 206. */
  readonly range?: readonly [first: number, last: number];
}

/** What a response must have. */
export interface Expected {
  readonly content: Content;
  readonly status: number;
  /** First position, and the one after the last. */
  readonly from: number;
  readonly to: number;
}

/** Throws where the path is none of a generated body, and there is no document. */
export function expectedOf({ path, document, status = 200, range }: Shot): Expected {
  const content = document === undefined ? contentOfPath(path) : contentOf(path, document);
  if (status === 304) return { content, status, from: 0, to: 0 };
  return { content, status, from: range?.[0] ?? 0, to: (range?.[1] ?? content.size - 1) + 1 };
}

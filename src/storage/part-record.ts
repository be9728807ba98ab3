import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import type { ByteRange } from '../core/body.ts';
import { type Digest, digestAlgorithm, digestFromHex } from '../core/digest.ts';

/** What is known of a file that has not arrived whole; it lies beside the part as JSON. */
export interface PartRecord {
  /** Canonical, without credentials. */
  readonly url: string;
  /** Strong, with its quotes. */
  readonly etag?: string;
  /** Of the whole file, in bytes. */
  readonly size?: number;
  /** What the whole must have. */
  readonly digest?: Digest;
  /** The process that is at work at it, or was. */
  readonly pid: number;
  /** What has arrived and is on the medium. */
  readonly ranges: readonly ByteRange[];
}

export interface FoundPart {
  readonly record: PartRecord;
  /** When its process last said that it is at work; milliseconds since the epoch. */
  readonly touchedAt: number;
}

/** A larger record is not one of ours. */
const mostBytes = 4 * 1024 * 1024;

/** Where the bytes of a file lie until it is whole, and where the record lies. */
export function partPaths(target: string): { readonly part: string; readonly record: string } {
  return { part: `${target}.part`, record: `${target}.part.json` };
}

/**
 * What an earlier attempt left. `none`: nothing is there; `foreign`: a file lies in its place that no
 * attempt made. Rejects with Node's error where the folder cannot be read.
 */
export async function findPart(target: string): Promise<FoundPart | 'none' | 'foreign'> {
  const paths = partPaths(target);
  const bytes = await orMissing(stat(paths.part));
  const touched = await orMissing(stat(paths.record));
  if (touched === undefined) return bytes === undefined ? 'none' : 'foreign';
  if (touched.size > mostBytes) return 'foreign';
  const record = parseRecord(await readFile(paths.record, 'utf8'));
  if (record === undefined) return 'foreign';
  const end = Math.max(0, ...record.ranges.map(({ last }) => last + 1));
  // A part that is shorter than its record lost bytes: what else it lost nobody knows.
  const ranges = bytes !== undefined && bytes.size >= end ? record.ranges : [];
  return { record: { ...record, ranges }, touchedAt: touched.mtimeMs };
}

/** Replaces the record as a whole. */
export async function writeRecord(target: string, record: PartRecord): Promise<void> {
  const path = partPaths(target).record;
  const { ranges, digest, ...known } = record;
  const text = JSON.stringify({
    millrace: 1,
    ...known,
    ...(digest && { digest: `${digest.algorithm}:${digest.hex}` }),
    ranges: ranges.map(({ first, last }) => [first, last]),
  });
  await writeFile(`${path}.new`, text, { flush: true });
  await rename(`${path}.new`, path);
}

/** Removes part and record: the part first, so that it is never there alone. */
export async function removePart(target: string): Promise<void> {
  const paths = partPaths(target);
  await rm(paths.part, { force: true });
  await rm(paths.record, { force: true });
  // Left by a write that failed.
  await rm(`${paths.record}.new`, { force: true });
}

function parseRecord(text: string): PartRecord | undefined {
  const found = parseJson(text);
  if (typeof found !== 'object' || found === null) return undefined;
  const { millrace, url, etag, size, digest, pid, ranges } = found as Record<string, unknown>;
  if (millrace !== 1 || typeof url !== 'string' || !isCount(pid)) return undefined;
  const known = { url, pid, ...digestOf(digest), ...(typeof etag === 'string' && { etag }) };
  if (!isCount(size)) return { ...known, ranges: [] };
  const parsed = Array.isArray(ranges) ? parseRanges(ranges, size) : undefined;
  return { ...known, size, ranges: parsed ?? [] };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function digestOf(text: unknown): { readonly digest?: Digest } {
  if (typeof text !== 'string') return {};
  const [name = '', hex = ''] = text.split(':');
  const algorithm = digestAlgorithm(name);
  const digest = algorithm && digestFromHex(algorithm, hex);
  return digest ? { digest } : {};
}

/** In order, apart, within the size; undefined where they are not. */
function parseRanges(ranges: readonly unknown[], size: number): readonly ByteRange[] | undefined {
  const parsed: ByteRange[] = [];
  let end = -1;
  for (const range of ranges) {
    if (!Array.isArray(range) || range.length !== 2) return undefined;
    const [first, last]: unknown[] = range;
    if (!isCount(first) || !isCount(last) || first <= end || last < first || last >= size) {
      return undefined;
    }
    parsed.push({ first, last });
    end = last;
  }
  return parsed;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

async function orMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

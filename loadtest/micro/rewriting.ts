import type { Buffer } from 'node:buffer';
import process from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import type { BodyReader } from '../../src/core/body.ts';
import type { Rewrite } from '../../src/core/classification.ts';
import { rewriteStream } from '../../src/pipeline/rewrite-stream.ts';

/** A large document of an ecosystem and its rewriting. */
export interface DocumentCase {
  readonly name: string;
  readonly rewrite: Rewrite;
  /** Made when it is needed: several of them at once would be counted for each other. */
  readonly document: () => Buffer;
}

export interface RewritingRow {
  readonly name: string;
  readonly size: string;
  readonly speed: string;
  /** What it holds while it works, and what of all it has let go of is not collected yet. */
  readonly held: string;
  readonly garbage: string;
  readonly within: 'yes' | 'NO';
}

const chunkBytes = 64 * 1024;
const passes = 7;
/** What it must reach: bytes a second of one core, and memory for each byte of the document. */
const [leastSpeed, mostMemory] = [100e6, 3];

/** Rewrites the document as it comes from a socket: speed by processor time, and the memory it takes. */
export async function measureRewriting({
  name,
  rewrite,
  document,
}: DocumentCase): Promise<RewritingRow> {
  const packed = gzipSync(document());
  const grown = await memoryOf(rewrite, packed, () => undefined);
  const held = await memoryOf(rewrite, packed, collector());
  const bytes = document();
  const size = bytes.length;
  const seconds = Array.from({ length: passes }, () => secondsOf(rewrite, bytes)).sort(
    (a, b) => a - b,
  );
  const speed = size / (seconds[passes >> 1] ?? Number.NaN);
  return {
    name,
    size: mebibytes(size),
    speed: `${Math.round(speed / 1e6)} MB/s`,
    held: `${(held / size).toFixed(2)} × its size`,
    // However large the document is: the collector looks when so much has come together.
    garbage: mebibytes(grown - held),
    within: speed >= leastSpeed && held / size < mostMemory ? 'yes' : 'NO',
  };
}

/** Processor time, which others on the machine do not lengthen. */
function secondsOf(rewrite: Rewrite, document: Buffer): number {
  const before = process.cpuUsage();
  const rewriter = rewrite.create();
  let out = 0;
  for (let at = 0; at < document.length; at += chunkBytes) {
    for (const piece of rewriter.push(document.subarray(at, at + chunkBytes))) out += piece.length;
  }
  for (const piece of rewriter.end()) out += piece.length;
  if (out < document.length / 2) throw new Error('the document is gone');
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/**
 * The most that heap and buffers grow while the packed document is unpacked, rewritten and packed
 * again, as the gateway does it. Before each look `clear` is called.
 */
async function memoryOf(rewrite: Rewrite, packed: Buffer, clear: () => void): Promise<number> {
  collector()();
  const before = used();
  let most = before;
  const codings = { gunzip: true, gzip: true };
  for await (const chunk of rewriteStream(readerOf(packed), rewrite.create(), codings)) {
    clear();
    if (chunk.length > 0) most = Math.max(most, used());
  }
  return most - before;
}

function collector(): () => void {
  setFlagsFromString('--expose_gc');
  const collect = runInNewContext('gc') as () => void;
  return () => {
    collect();
    // What is outside the heap goes with the second one.
    collect();
  };
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function used(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function readerOf(bytes: Buffer): BodyReader {
  let at = 0;
  return {
    async next() {
      const chunk = bytes.subarray(at, at + chunkBytes);
      at += chunk.length;
      return chunk.length > 0 ? chunk : undefined;
    },
    close: () => undefined,
  };
}

import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { testGateway } from '../support/gateway.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { httpOrigin } from '../support/http-origin.ts';

/**
 * Runs of each lie, each with another seed. `LYING_RUNS=200 LYING_AT_ONCE=8` is the whole experiment:
 * so many at a time, because they mostly wait.
 */
const runs = Number(process.env.LYING_RUNS ?? 3);
const atOnce = Number(process.env.LYING_AT_ONCE ?? 1);
const batches = Array.from({ length: Math.ceil(runs / atOnce) }, (_, batch) =>
  Array.from({ length: Math.min(atOnce, runs - batch * atOnce) }, (_, i) => batch * atOnce + i + 1),
);
const size = 12 * 2 ** 20;
const piece = 64 * 1024;

interface Part {
  readonly first: number;
  readonly last: number;
  /** Whether the whole was asked for. */
  readonly isWhole: boolean;
}

/** What is wrong with an answer; `random`: the next number below one. */
interface Lie {
  readonly bytes?: (bytes: Buffer, random: () => number) => Buffer;
  readonly part?: (part: Part, random: () => number) => Partial<Part>;
  readonly etag?: string;
  /** Part of the body after which the connection ends. */
  readonly ends?: (random: () => number) => number;
  /** Says a length other than what it sends. */
  readonly ignoresRange?: boolean;
  /** Only a digest shows it. */
  readonly needsDigest?: boolean;
}

const lies: Readonly<Record<string, Lie>> = {
  'ignores Range': { ignoresRange: true },
  'lies in Content-Range': {
    part: ({ first, last }, random) => {
      const by = 1 + Math.floor(random() * 1000);
      return { first: first + by, last: last + by };
    },
  },
  'flips a byte': {
    needsDigest: true,
    bytes: (bytes, random) => {
      const flipped = Buffer.from(bytes);
      const at = Math.floor(random() * bytes.length);
      flipped[at] = (flipped[at] as number) ^ 1;
      return flipped;
    },
  },
  truncates: { ends: (random) => random() },
  'has another entity tag': { etag: '"another"' },
};

/** Numbers below one from a seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function asked({ headers }: IncomingMessage): Part {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
  const isWhole = first === undefined;
  return { first: Number(first ?? 0), last: last ? Number(last) : size - 1, isWhole };
}

async function answer(
  request: IncomingMessage,
  reply: ServerResponse,
  { body, lie, random }: { body: Buffer; lie: Lie; random: () => number },
): Promise<void> {
  const wanted = asked(request);
  const part = lie.ignoresRange ? { first: 0, last: size - 1, isWhole: true } : wanted;
  const told = { ...part, ...(part.isWhole ? {} : lie.part?.(part, random)) };
  const right = body.subarray(part.first, part.last + 1);
  const bytes = lie.bytes?.(right, random) ?? right;
  const end = lie.ends ? Math.floor(bytes.length * lie.ends(random)) : bytes.length;
  reply.writeHead(part.isWhole ? 200 : 206, {
    ETag: lie.etag ?? '"right"',
    'Content-Length': bytes.length,
    ...(!part.isWhole && { 'Content-Range': `bytes ${told.first}-${told.last}/${size}` }),
  });
  for (let at = 0; at < end && !reply.destroyed; at += piece) {
    reply.write(bytes.subarray(at, Math.min(end, at + piece)));
    // So slow at first that more than one connection seems worthwhile.
    await setTimeout(at < 8 * piece ? 30 : 2);
  }
  if (end < bytes.length) reply.destroy();
  else reply.end();
}

/** One download beside the liar; whether it lied. */
async function download(lie: Lie, seed: number): Promise<boolean> {
  const random = randomOf(seed);
  const body = generatedBytes(`seed ${seed}`, 0, size);
  const sha256 = createHash('sha256').update(body).digest('hex');
  const path = `/dists/x/by-hash/SHA256/${sha256}`;
  const [honest, liar] = [await httpOrigin(), await httpOrigin()];
  let lied = 0;
  honest.handle(path, (request, reply) => answer(request, reply, { body, lie: {}, random }));
  liar.handle(path, (request, reply) => {
    if (!asked(request).isWhole || lie.bytes || lie.ends) lied += 1;
    return answer(request, reply, { body, lie, random });
  });
  const limits = {
    concurrency: undefined,
    ecosystems: [],
    connections: 6,
    bandwidth: undefined,
  };
  const gateway = await testGateway({
    config: { limits },
    mounts: [
      {
        path: '/files',
        ecosystem: lie.needsDigest ? 'apt' : 'generic',
        url: honest.url,
        upstreams: [
          { url: honest.url, concurrency: 2 },
          { url: liar.url, concurrency: 4 },
        ],
      },
    ],
  });
  const got = await gateway.get(`/files${path}`);
  if (got.status === 200 && !got.aborted) expect(got.body.equals(body)).toBe(true);
  else expect(got.aborted || got.status === 502).toBe(true);
  if (lied === 0) return false;
  const { mirrors } = (await gateway.admin('/api/mirrors')) as {
    mirrors: { origin: string; faults: object }[];
  };
  const faultsOf = ({ url }: { url: string }) =>
    Object.keys(mirrors.find(({ origin }) => origin === url)?.faults ?? {});
  expect(faultsOf(honest)).toEqual([]);
  if (!lie.ends) expect(faultsOf(liar)).not.toEqual([]);
  return true;
}

describe.each(Object.entries(lies))('beside a mirror that %s', (name, lie) => {
  let lied = 0;
  test.each(batches.map((seeds) => ({ seeds })))(
    'the bytes are right, or visibly broken off: seeds $seeds',
    { timeout: 60_000 },
    async ({ seeds }) => {
      const told = await Promise.all(seeds.map((seed) => download(lie, seed)));
      lied += told.filter(Boolean).length;
    },
  );

  afterAll(() => {
    // In a few runs it may happen that it is not asked.
    if (runs < 16) return;
    process.stdout.write(`| ${name} | ${runs} runs | it lied in ${lied} |\n`);
    // Without lies nothing was shown.
    expect(lied).toBeGreaterThan(runs / 4);
  });
});

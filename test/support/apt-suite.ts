import { createHash } from 'node:crypto';
import type { HttpOrigin } from './http-origin.ts';

const suite = '/debian/dists/stable';

/** Paths below an origin. */
export const aptPaths = {
  release: `${suite}/InRelease`,
  index: `${suite}/main/binary-amd64/Packages`,
  sources: `${suite}/main/source/Sources`,
} as const;

const indexes = ['index', 'sources'] as const;

/** What a generation's documents are. */
export interface AptGeneration {
  readonly release: Buffer;
  readonly index: Buffer;
  readonly sources: Buffer;
}

export interface PublishOptions {
  /** Whether indexes are below `by-hash`, too, and the release says so; older ones stay there. */
  readonly byHash?: boolean;
  /** Bytes of an index. */
  readonly size?: number;
  /** Seconds for which the release is fresh by its own words. */
  readonly maxAge?: number;
}

/** The documents of one generation; those of another have other bytes, and other lengths. */
export function aptGeneration(
  generation: number,
  { byHash = false, size = 100 }: PublishOptions = {},
): AptGeneration {
  const [index, sources] = indexes.map((name) =>
    Buffer.from(`${name} of ${generation}\n`.padEnd(size + generation, 'x')),
  ) as [Buffer, Buffer];
  const lines = [
    ...(byHash ? ['Acquire-By-Hash: yes'] : []),
    'SHA256:',
    line(index, 'main/binary-amd64/Packages'),
    line(sources, 'main/source/Sources'),
  ];
  return { release: Buffer.from(`Suite: stable\n${lines.join('\n')}\n`), index, sources };
}

/** Puts a generation in the place of what an origin has. */
export function publish(
  origin: HttpOrigin,
  generation: AptGeneration,
  { byHash = false, maxAge }: PublishOptions = {},
): void {
  const headers: Record<string, string> = {};
  if (maxAge !== undefined) headers['Cache-Control'] = `max-age=${maxAge}`;
  origin.serve(aptPaths.release, { body: generation.release, headers });
  for (const name of indexes) {
    const body = generation[name];
    origin.serve(aptPaths[name], { body });
    if (byHash) origin.serve(byHashPath(name, body), { body });
  }
}

/** Where an index is under its digest. */
export function byHashPath(name: (typeof indexes)[number], body: Uint8Array): string {
  return aptPaths[name].replace(/[^/]+$/, `by-hash/SHA256/${sha256(body)}`);
}

function line(body: Uint8Array, name: string): string {
  return ` ${sha256(body)} ${body.length} ${name}`;
}

function sha256(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex');
}

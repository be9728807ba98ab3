import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Digest } from '../core/digest.ts';
import type { GetFailure } from './get-failure.ts';
import type { GetResult } from './get-report.ts';
import type { GetTarget } from './get-targets.ts';
import { exitCode } from './io.ts';

/**
 * What comes of a download before it begins, because of what lies in its place; undefined: it may
 * begin. A name that was taken from a URL replaces nothing. Rejects with Node's error.
 */
export async function resultBefore(
  { target, named }: GetTarget,
  digest: Digest | undefined,
): Promise<GetResult | undefined> {
  const found = await stat(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return undefined;
  if (found.isDirectory()) return failed(`${target} is a folder: give the path of a file`);
  if (digest !== undefined && found.isFile() && (await hashOf(target, digest)) === digest.hex) {
    return { kind: 'there', size: found.size };
  }
  return named ? undefined : failed(`${target} is there already: -o with its name replaces it`);
}

function failed(message: string): GetResult {
  const failure: GetFailure = { exitCode: exitCode.file, code: 'storage_failed', message };
  return { kind: 'failed', failure };
}

async function hashOf(path: string, { algorithm }: Digest): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

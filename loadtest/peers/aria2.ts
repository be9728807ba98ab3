import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { bodyOfPath, sha256Of } from '../fixtures/generated-body.ts';
import { monotonicMs } from '../processes/monotonic.ts';
import { startPinned } from '../processes/start.ts';
import type { Peer } from './peer.ts';

/** aria2 as a client of its own: eight connections, or as many as the mirrors allow. */
export const aria2: Peer = {
  name: 'aria2',
  package: 'aria2',
  version: () => {
    const { status, stdout } = spawnSync('aria2c', ['--version'], { encoding: 'utf8' });
    return status === 0 ? stdout.split('\n', 1)[0] : undefined;
  },
  async start(bench, settings) {
    const folder = await bench.folder('aria2');
    const upstreams = await bench.upstreams(settings);
    const each = settings.mirrors?.[0]?.connections ?? 8;
    return {
      name: 'aria2',
      base: upstreams[0],
      pid: undefined,
      ended: () => undefined,
      stop: async () => {},
      async download(path) {
        const startedAt = monotonicMs();
        const child = startPinned(
          'aria2c',
          [
            '--quiet',
            '--no-conf',
            '--file-allocation=none',
            '--min-split-size=1M',
            `--max-connection-per-server=${each}`,
            `--split=${each * upstreams.length}`,
            `--dir=${folder}`,
            '--out=body',
            ...upstreams.map((url) => `${url}${path}`),
          ],
          bench.cores.server,
          { stdio: 'ignore' },
        );
        const [code] = await once(child, 'exit');
        const ms = monotonicMs() - startedAt;
        const problem =
          code === 0 ? await wrong(join(folder, 'body'), path) : `it ended with ${code}`;
        await rm(join(folder, 'body'), { force: true });
        return { ms, problem };
      },
    };
  },
};

/** What is wrong with a file that should have the body of the path. */
async function wrong(file: string, path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  const found = bodyOfPath(path);
  const right = found !== undefined && sha256Of(found.body) === hash.digest('hex');
  return right ? undefined : 'its file has other bytes';
}

import type { OriginCalls } from '../origin/main.ts';
import { Worker } from '../processes/worker.ts';
import type { Peer } from './peer.ts';

/** The origin without anything in between. */
export const direct: Peer = {
  name: 'direct',
  version: () => 'the origin',
  async start(bench, { directOn, npm }) {
    const { cores, originFile, originUrl } = bench;
    if (directOn === 'load' || npm) {
      return {
        name: 'direct',
        base: npm ? (await bench.registry()).url : originUrl,
        pid: undefined,
        ended: () => undefined,
        stop: async () => {},
      };
    }
    const worker = new Worker<OriginCalls>(originFile, cores.server);
    return {
      name: 'direct',
      base: await worker.call('listen', {}),
      pid: worker.pid,
      ended: () => undefined,
      stop: async () => worker.close(),
    };
  },
};

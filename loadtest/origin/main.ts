import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { answerCalls } from '../processes/worker.ts';
import { type Account, Ledger } from './ledger.ts';
import { createOrigin, type OriginLimits } from './server.ts';

/** What the origin's process answers. */
export type OriginCalls = {
  /** Starts one more on a free port of loopback; its URL without a trailing slash. */
  readonly listen: { readonly takes: OriginLimits; readonly gives: string };
  /** What was asked for these request targets since the last time. */
  readonly take: { readonly takes: readonly string[]; readonly gives: readonly Account[] };
};

const ledger = new Ledger();
answerCalls<OriginCalls>({
  async listen(limits) {
    const server = createOrigin(ledger, limits);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  },
  take: (targets) => ledger.take(targets),
});

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { answerCalls } from '../processes/worker.ts';
import { type Account, Ledger } from './ledger.ts';
import { type Documents, publish } from './send-document.ts';
import { createOrigin, type OriginLimits } from './server.ts';

/** What the origin's process answers. */
export type OriginCalls = {
  /** Starts one more on a free port of loopback; its URL without a trailing slash. */
  readonly listen: { readonly takes: OriginLimits; readonly gives: string };
  /** Serves documents by their paths, besides the bodies that it generates. */
  readonly publish: { readonly takes: ReadonlyMap<string, string>; readonly gives: undefined };
  /** What was asked for these request targets since the last time. */
  readonly take: { readonly takes: readonly string[]; readonly gives: readonly Account[] };
};

const ledger = new Ledger();
const documents: Documents = new Map();
answerCalls<OriginCalls>({
  async listen(limits) {
    const server = createOrigin(ledger, limits, documents);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  },
  publish: (added) => {
    publish(documents, added);
    return undefined;
  },
  take: (targets) => ledger.take(targets),
});

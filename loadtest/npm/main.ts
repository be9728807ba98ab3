import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { answerCalls } from '../processes/worker.ts';
import { type LockedPackage, type RegistryOptions, RegistryServer } from './registry-server.ts';

/** What the registry's process answers. */
export type RegistryCalls = {
  /** Starts one on a free port of loopback; its URL without a trailing slash. */
  readonly listen: {
    readonly takes: RegistryOptions;
    readonly gives: { readonly url: string; readonly locked: readonly LockedPackage[] };
  };
  /** How many requests there were since the last time. */
  readonly take: { readonly takes: undefined; readonly gives: number };
};

let registry: RegistryServer | undefined;
answerCalls<RegistryCalls>({
  async listen(options) {
    registry = new RegistryServer(options);
    const { server, locked } = registry;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    registry.fill(url);
    return { url, locked };
  },
  take: () => registry?.take() ?? 0,
});

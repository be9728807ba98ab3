import { expect, test } from 'vitest';
import { gatewayProcess } from '../../clients/support/gateway-process.ts';
import { isInstalled } from '../../clients/support/tools.ts';
import { Client } from '../../support/client.ts';
import { httpOrigin } from '../../support/http-origin.ts';
import { cases } from './support/cases.ts';
import { type Cache, observe } from './support/observe.ts';
import { commands, daemonPath, type PeerName, startPeer } from './support/peers.ts';

const names: readonly PeerName[] = ['nginx', 'squid', 'varnish'];

for (const name of names) {
  // On CI an absent tool is a failure.
  const absent = process.env.CI === undefined && !isInstalled(commands[name], daemonPath);
  test.skipIf(absent)(
    `answers, and asks the origin, as ${name} does where that is right`,
    async () => {
      const origin = await httpOrigin();
      const client = new Client();
      const [gateway, url] = await Promise.all([
        gatewayProcess({
          mounts: [{ path: '/', ecosystem: 'generic', upstreams: [{ url: origin.url }] }],
        }),
        startPeer(name, origin.url),
      ]);
      const tellsAge = name !== 'nginx';
      const peer: Cache = { url, tellsAge, settled: async () => undefined };
      const settled = async () => {
        await expect.poll(async () => (await gateway.stats()).fills.active).toBe(0);
      };
      const millrace: Cache = { url: gateway.url, tellsAge, settled };
      const table = cases().filter(({ peers }) => peers.includes(name));
      for (const [index, { section, name: what, asks }] of table.entries()) {
        const around = { origin, client };
        const [theirs, ours] = await Promise.all([
          observe(peer, `/peer/${index}`, asks, around),
          observe(millrace, `/millrace/${index}`, asks, around),
        ]);
        expect.soft(ours, `${what}, RFC ${section}`).toEqual(theirs);
      }
    },
  );
}

import { describe, expect, test } from 'vitest';
import { hostFiles, hostNpmRegistry } from '../../../src/config/host.ts';
import { readHostDefaults } from '../../../src/config/host-defaults.ts';
import { aptHost } from '../support/apt-host.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { isInstalled, skipWithout } from '../support/tools.ts';
import { defaultGateway, report, since, upstreamTotals } from './support.ts';

const { aptArchives } = await readHostDefaults(hostFiles, hostNpmRegistry);
/** Only plain HTTP goes through `http_proxy`. */
const hasPlainArchive = aptArchives.some(({ url }) => url.startsWith('http://'));
const skip = skipWithout('apt-get') || (isInstalled('apt-get') && !hasPlainArchive);

function requests({ log }: GatewayProcess): GatewayProcess['log'] {
  return log.filter(({ msg }) => msg === 'request');
}

describe.skipIf(skip)('apt and the archives of this host', () => {
  test('a second host fetches no index and no package from the archive again', async () => {
    const gateway = await defaultGateway();
    const totals = [await upstreamTotals(gateway, 'apt')];
    const downloads: ReadonlyMap<string, Buffer>[] = [];
    let coldRequests = 0;
    for (let run = 0; run < 2; run++) {
      coldRequests = requests(gateway).length;
      const host = await aptHost({ proxy: gateway.url });
      await host.aptGet('update');
      await host.aptGet('download', 'hello');
      downloads.push(await host.downloads());
      totals.push(await upstreamTotals(gateway, 'apt'));
    }
    const [start, afterFirst, afterSecond] = totals;
    if (!start || !afterFirst || !afterSecond) throw new Error('there were two runs');
    const second = since(afterFirst, afterSecond);
    report(since(start, afterFirst), second);
    expect(since(start, afterFirst).artifacts).toBeGreaterThan(0);
    expect(second.artifacts).toBe(0);
    // Release files alone are validated each time.
    const forwarded = requests(gateway)
      .slice(coldRequests)
      .filter(({ fwd }) => fwd !== undefined);
    expect(forwarded.map(({ target }) => target)).toEqual(
      forwarded.map(() => expect.stringMatching(/\/(In)?Release(\.gpg)?$/)),
    );
    expect(downloads[1]).toEqual(downloads[0]);
    expect([...(downloads[0]?.keys() ?? [])]).toEqual([expect.stringMatching(/^hello_.+\.deb$/)]);
  });
});

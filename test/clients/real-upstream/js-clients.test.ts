import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { jsClients, skipWithoutJsTools } from '../support/js-clients.ts';
import { jsCheckout, jsProject } from '../support/js-project.ts';
import { defaultGateway, report, since, upstreamTotals } from './support.ts';

/** With a tree of some sixty packages. */
const dependencies = { express: '^4.19.0' };

describe.skipIf(skipWithoutJsTools()).each(jsClients)(
  '$id and the registry of this host',
  (client) => {
    test('installing by the lockfile once more asks nothing of the registry, and leaves the lockfile as it is', async () => {
      const gateway = await defaultGateway();
      const options = { client, registry: `${gateway.url}/npm` };
      const start = await upstreamTotals(gateway, 'npm');
      const first = await jsProject(dependencies, options);
      await first.install();
      // Some ask for other documents here than where they resolve.
      await (await jsCheckout(first, dependencies, options)).installLocked();
      const afterFirst = await upstreamTotals(gateway, 'npm');
      expect(since(start, afterFirst).artifacts).toBeGreaterThan(40);

      const second = await jsCheckout(first, dependencies, options);
      await second.installLocked();
      const afterSecond = await upstreamTotals(gateway, 'npm');
      report(since(start, afterFirst), since(afterFirst, afterSecond));
      expect(since(afterFirst, afterSecond)).toEqual({ artifacts: 0, indexes: 0, bytes: 0 });
      expect(await second.lockfile()).toBe(await first.lockfile());
      const manifest = join(second.folder, 'node_modules/express/package.json');
      expect(JSON.parse(await readFile(manifest, 'utf8'))).toMatchObject({ name: 'express' });
    });
  },
);

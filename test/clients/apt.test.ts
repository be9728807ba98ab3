import { describe, expect, test } from 'vitest';
import { httpsOrigin } from '../support/http-origin.ts';
import { type AptHost, aptHost } from './support/apt-host.ts';
import {
  type AptRepository,
  aptRepository,
  type RepositoryOptions,
} from './support/apt-repository.ts';
import { client, shows } from './support/columns.ts';
import { type GatewayProcess, gatewayProcess } from './support/gateway-process.ts';
import { intercepting } from './support/intercepting.ts';
import { isolatedNetwork, skipUnisolated } from './support/isolated.ts';

const packages = [
  { name: 'chisel', version: '1.0-1' },
  { name: 'plane', version: '2:3.4~rc1-2' },
];

async function repositoryAndGateway(
  options: RepositoryOptions = {},
): Promise<[AptRepository, GatewayProcess]> {
  const repository = await aptRepository(packages, options);
  const upstreams = [{ url: `${repository.origin.url}/debian` }];
  const gateway = await gatewayProcess({
    mounts: [{ path: '/debian', ecosystem: 'apt', upstreams }],
  });
  return [repository, gateway];
}

async function updateAndDownload(host: AptHost): Promise<void> {
  await host.aptGet('update');
  await host.aptGet('download', 'chisel');
  expect([...(await host.downloads()).keys()]).toEqual(['chisel_1.0-1_all.deb']);
}

const tools = ['apt-get', 'dpkg', 'dpkg-deb', 'gpg', 'gpgv'] as const;
const row = client('apt', { lockfile: 'it has none' });

describe.skipIf(skipUnisolated(...tools))('apt', row, () => {
  test(
    'updates and downloads through http_proxy; a second host needs the upstream for the Release alone',
    shows('cold', 'stale'),
    async () => {
      const [repository, gateway] = await repositoryAndGateway();
      const network = await isolatedNetwork(gateway.url);
      const options = { sources: [repository.source()], proxy: gateway.url, network };
      await updateAndDownload(await aptHost(options));
      expect((await gateway.stats()).traffic.requests.bySurface).toEqual({
        'forward-proxy': gateway.log.filter(({ msg }) => msg === 'request').length,
      });
      expect(repository.requests('package')).toHaveLength(1);

      const cold = repository.origin.requests.length;
      await updateAndDownload(await aptHost(options));
      const later = repository.origin.requests.slice(cold);
      expect(later.filter(({ target }) => !/\/(In)?Release(\.gpg)?$/.test(target))).toEqual([]);
      expect(later.filter(({ status }) => status === 304)).toHaveLength(1);
      await gateway.stop();
    },
  );

  test(
    'asks nothing while its InRelease is fresh, and works while the upstream is switched off',
    shows('warm'),
    async () => {
      const [repository, gateway] = await repositoryAndGateway({ maxAge: 3600 });
      const network = await isolatedNetwork(gateway.url);
      const host = () => aptHost({ sources: [repository.source(gateway.url)], network });
      await updateAndDownload(await host());
      const cold = await gateway.stats();
      await repository.origin.close();
      await updateAndDownload(await host());
      expect((await gateway.stats()).traffic.upstreams).toEqual(cold.traffic.upstreams);
    },
  );

  test(
    'of several at once each gets all, and the upstream gives each file once',
    shows('concurrent'),
    async () => {
      const [repository, gateway] = await repositoryAndGateway({ maxAge: 3600 });
      const network = await isolatedNetwork(gateway.url);
      const options = { sources: [repository.source(gateway.url)], network };
      const hosts = await Promise.all([aptHost(options), aptHost(options), aptHost(options)]);
      await Promise.all(hosts.map(updateAndDownload));
      const given = repository.origin.requests.filter(({ status }) => status === 200);
      const targets = given.map(({ target }) => target);
      expect(targets).toHaveLength(3);
      expect(new Set(targets).size).toBe(3);
    },
  );

  test(
    'is refused a package that was corrupted upstream, and gets the right one afterwards',
    shows('corrupted'),
    async () => {
      const [repository, gateway] = await repositoryAndGateway();
      const network = await isolatedNetwork(gateway.url);
      const host = await aptHost({ sources: [repository.source()], proxy: gateway.url, network });
      await host.aptGet('update');
      const target = '/debian/pool/main/c/chisel/chisel_1.0-1_all.deb';
      const right = repository.origin.handlerOf(target);
      if (!right) throw new Error('no such package');
      repository.origin.serve(target, { body: 'not this' });
      const { code, errors } = await host.attempt('download', 'chisel');
      expect(code).not.toBe(0);
      expect(errors).toContain('502');
      repository.origin.handle(target, right);
      await host.aptGet('download', 'chisel');
      expect([...(await host.downloads()).keys()]).toEqual(['chisel_1.0-1_all.deb']);
    },
  );

  test('takes https:// sources through an intercepting gateway', shows('HTTPS_PROXY'), async () => {
    const origin = await httpsOrigin();
    const repository = await aptRepository(packages, { origin });
    const { gateway, ca } = await intercepting('apt', `${origin.url}/debian`);
    const network = await isolatedNetwork(gateway.url);
    const configuration = [`Acquire::https::CaInfo "${ca}";`];
    const host = await aptHost({
      sources: [repository.source()],
      proxy: gateway.url,
      network,
      configuration,
    });
    await updateAndDownload(host);
    const count = origin.requests.length;
    expect(count).toBe(3);
    // The same entries as by the mount.
    await host.aptGet('clean');
    const get = await fetch(`${gateway.url}/it/pool/main/c/chisel/chisel_1.0-1_all.deb`);
    expect([get.status, origin.requests.length]).toEqual([200, count]);
  });

  test('fetches indexes by their hash, which are then never asked for again', async () => {
    const [repository, gateway] = await repositoryAndGateway();
    const options = { sources: [repository.source()], proxy: gateway.url };
    await (await aptHost(options)).aptGet('update');
    const byHash = repository
      .requests('index')
      .filter(({ target }) => target.includes('/by-hash/'));
    expect(byHash).toHaveLength(1);
    expect((await gateway.kind('apt', 'artifact')).upstreamRequests).toBe(1);
    await (await aptHost(options)).aptGet('update');
    expect(await gateway.kind('apt', 'artifact')).toMatchObject({
      requests: 2,
      upstreamRequests: 1,
    });
  });

  test('works on while the upstream is switched off, on what has been fetched before', async () => {
    const [repository, gateway] = await repositoryAndGateway();
    const options = { sources: [repository.source()], proxy: gateway.url };
    const first = await aptHost(options);
    await updateAndDownload(first);
    await repository.origin.close();
    const second = await aptHost(options);
    await updateAndDownload(second);
    expect(await second.downloads()).toEqual(await first.downloads());
    expect((await gateway.stats()).traffic.requests.byOutcome.stale).toBeGreaterThan(0);
    // What nobody had asked for before cannot be had.
    const { code, errors } = await second.attempt('download', 'plane');
    expect(code).not.toBe(0);
    expect(errors).toContain('502');
  });

  test('finds the same entries below the mount as through http_proxy', async () => {
    const [repository, gateway] = await repositoryAndGateway();
    const proxied = { sources: [repository.source()], proxy: gateway.url };
    await updateAndDownload(await aptHost(proxied));
    await repository.origin.close();
    const host = await aptHost({ sources: [repository.source(gateway.url)] });
    await updateAndDownload(host);
    expect((await gateway.kind('apt', 'artifact')).upstreamRequests).toBe(2);
  });

  test('downloads a version whose name has to be percent-encoded', async () => {
    const [repository, gateway] = await repositoryAndGateway();
    const host = await aptHost({ sources: [repository.source(gateway.url)] });
    await host.aptGet('update');
    await host.aptGet('download', 'plane');
    const [[name = '', body] = []] = await host.downloads();
    expect(name).toMatch(/^plane_2/);
    expect(repository.requests('package')).toHaveLength(1);
    expect(body?.length).toBeGreaterThan(0);
  });

  test('sees a new package at the next update', async () => {
    const [repository, gateway] = await repositoryAndGateway();
    const host = await aptHost({ sources: [repository.source()], proxy: gateway.url });
    await updateAndDownload(host);
    await repository.add({ name: 'rasp', version: '1' });
    await host.aptGet('update');
    await host.aptGet('download', 'rasp');
    expect([...(await host.downloads()).keys()]).toContain('rasp_1_all.deb');
  });

  test('needs no mount: an allowed host is enough', async () => {
    const repository = await aptRepository(packages);
    const forwardProxy = { allow: ['127.0.0.1'] };
    const gateway = await gatewayProcess({ mounts: [], forwardProxy });
    const options = { sources: [repository.source()], proxy: gateway.url };
    await updateAndDownload(await aptHost(options));
    await updateAndDownload(await aptHost(options));
    expect(repository.requests('package')).toHaveLength(1);
    expect((await gateway.kind('apt', 'artifact')).requests).toBe(4);
  });

  test('is told why when a host is not allowed', async () => {
    const repository = await aptRepository(packages);
    const gateway = await gatewayProcess({ mounts: [] });
    const host = await aptHost({ sources: [repository.source()], proxy: gateway.url });
    const { code, errors } = await host.attempt('update');
    expect(code).not.toBe(0);
    expect(errors).toContain('403');
    expect(repository.origin.requests).toEqual([]);
  });
});

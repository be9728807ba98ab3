import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dataWithAuthority } from '../support/authority.ts';
import { temporaryFolder } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { agedOrigin, expectValidated } from './support/aged-origin.ts';
import { client, shows } from './support/columns.ts';
import { type GatewayProcess, gatewayProcess } from './support/gateway-process.ts';
import { type IsolatedNetwork, isolatedNetwork, skipUnisolated } from './support/isolated.ts';
import { isNamed, namedHost } from './support/named.ts';
import { attempt, type Finished } from './support/run.ts';
import { archiveOf, sourceOf, TerraformMirror } from './support/terraform-mirror.ts';
import { isInstalled } from './support/tools.ts';

const nail = { name: 'nail', version: '1.0.0' };
const hammer = { name: 'hammer', version: '2.1.0' };
const providers = [nail, hammer];

interface Secure {
  readonly gateway: GatewayProcess;
  /** Of its HTTPS listener: terraform takes no mirror without TLS. */
  readonly url: string;
  readonly ca: string;
}

async function gatewayFor({ origin }: TerraformMirror): Promise<Secure> {
  const { data } = await dataWithAuthority();
  const listen = { host: '127.0.0.1', port: 0, tls: { port: 0 } };
  const upstreams = [{ url: origin.url }];
  const mounts = [{ path: '/terraform', ecosystem: 'terraform', upstreams }];
  const gateway = await gatewayProcess({ data, listen, mounts });
  const said = gateway.log.find(({ msg }) => msg === 'listening');
  return { gateway, url: String(said?.secureUrl), ca: join(data, 'ca', 'ca.pem') };
}

/** A configuration that needs both providers, on a machine that has none. */
class TerraformProject {
  readonly #folder: string;
  readonly #network: Pick<IsolatedNetwork, 'attempt'>;
  readonly #env: Readonly<Record<string, string>>;

  constructor(
    folder: string,
    network: Pick<IsolatedNetwork, 'attempt'>,
    env: Readonly<Record<string, string>>,
  ) {
    this.#folder = folder;
    this.#network = network;
    this.#env = env;
  }

  attempt(): Promise<Finished> {
    const env = {
      HOME: this.#folder,
      TF_CLI_CONFIG_FILE: join(this.#folder, 'terraformrc'),
      CHECKPOINT_DISABLE: '1',
      ...this.#env,
    };
    const args = ['init', '-input=false', '-no-color'];
    return this.#network.attempt('terraform', args, { cwd: this.#folder, env });
  }

  async init(): Promise<void> {
    const { code, output, errors } = await this.attempt();
    if (code !== 0) throw new Error(output + errors);
  }

  async installed(): Promise<string[]> {
    const acme = join(this.#folder, '.terraform/providers/registry.example.test/acme');
    return (await readdir(acme)).sort();
  }

  lockfile(): Promise<string> {
    return readFile(join(this.#folder, '.terraform.lock.hcl'), 'utf8');
  }
}

async function project(
  mirror: string,
  network: Pick<IsolatedNetwork, 'attempt'>,
  env: Readonly<Record<string, string>>,
): Promise<TerraformProject> {
  const folder = await temporaryFolder();
  const needs = providers.map(
    (each) => `${each.name} = { source = "${sourceOf(each)}", version = "${each.version}" }`,
  );
  await writeFile(
    join(folder, 'main.tf'),
    `terraform {\n  required_providers {\n    ${needs.join('\n    ')}\n  }\n}\n`,
  );
  await writeFile(
    join(folder, 'terraformrc'),
    `provider_installation {\n  network_mirror {\n    url = "${mirror}/"\n  }\n}\n`,
  );
  return new TerraformProject(folder, network, env);
}

async function through({ url, ca }: Secure): Promise<TerraformProject> {
  return project(`${url}/terraform`, await isolatedNetwork(url), { SSL_CERT_FILE: ca });
}

const both = ['hammer', 'nail'];

// Debian has no terraform: it is tested where the machine has one, on CI, too.
describe.skipIf(!isInstalled('terraform') || skipUnisolated())('terraform', client(), () => {
  test(
    'installs, and again from nothing while the upstream is off',
    shows('cold', 'warm'),
    async () => {
      const mirror = new TerraformMirror(await httpOrigin(), providers);
      const secure = await gatewayFor(mirror);
      const first = await through(secure);
      await first.init();
      expect(await first.installed()).toEqual(both);
      const cold = await secure.gateway.stats();

      await mirror.origin.close();
      const second = await through(secure);
      await second.init();
      expect(await second.installed()).toEqual(both);
      expect(await second.lockfile()).toBe(await first.lockfile());
      expect((await secure.gateway.stats()).traffic.upstreams).toEqual(cold.traffic.upstreams);
      await secure.gateway.stop();
    },
  );

  test('costs a conditional request a list once all is stale', shows('stale'), async () => {
    const mirror = new TerraformMirror(await agedOrigin(), providers);
    const secure = await gatewayFor(mirror);
    await (await through(secure)).init();
    const cold = mirror.origin.requests.length;
    await (await through(secure)).init();
    const targets = providers.flatMap((each) =>
      ['index', each.version].map((name) => `/${sourceOf(each)}/${name}.json`),
    );
    expectValidated(mirror.origin.requests.slice(cold), targets);
  });

  test(
    'is refused an archive that was corrupted, then gets the right one',
    shows('corrupted'),
    async () => {
      const mirror = new TerraformMirror(await httpOrigin(), providers);
      const secure = await gatewayFor(mirror);
      mirror.serve(nail, archiveOf({ ...nail, version: '6.6.6' }));
      expect((await (await through(secure)).attempt()).code).not.toBe(0);
      expect(secure.gateway.log).toContainEqual(
        expect.objectContaining({ msg: 'a body without the digest it must have was refused' }),
      );
      mirror.serve(nail, archiveOf(nail));
      const mended = await through(secure);
      await mended.init();
      expect(await mended.installed()).toEqual(both);
    },
  );

  test('of several at once each gets all, each file once', shows('concurrent'), async () => {
    const mirror = new TerraformMirror(await httpOrigin(), providers);
    const secure = await gatewayFor(mirror);
    const projects = await Promise.all([1, 2, 3].map(() => through(secure)));
    await Promise.all(projects.map((each) => each.init()));
    for (const each of projects) expect(await each.installed()).toEqual(both);
    expect(new Set(mirror.targets()).size).toBe(mirror.targets().length);
  });

  test.skipIf(!isNamed)(
    'through HTTPS_PROXY installs, again while the upstream is off, with the lockfile of without',
    shows('HTTPS_PROXY', 'lockfile'),
    async () => {
      const named = await namedHost();
      const mirror = new TerraformMirror(await named.origin(), providers);
      const { url } = mirror.origin;
      const direct = await project(url, { attempt }, { SSL_CERT_FILE: named.ca });
      await direct.init();
      const gateway = await named.gateway('terraform', url);
      const network = await isolatedNetwork(gateway.url);
      const env = { HTTPS_PROXY: gateway.url, SSL_CERT_FILE: named.ca };
      const first = await project(url, network, env);
      await first.init();
      expect(await first.lockfile()).toBe(await direct.lockfile());
      const cold = await gateway.stats();
      await mirror.origin.close();
      const second = await project(url, network, env);
      await second.init();
      expect(await second.lockfile()).toBe(await direct.lockfile());
      expect((await gateway.stats()).traffic.upstreams).toEqual(cold.traffic.upstreams);
    },
  );
});

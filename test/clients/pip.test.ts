import { spawnSync } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/gateway.ts';
import { agedOrigin, expectValidated } from './support/aged-origin.ts';
import { client, shows } from './support/columns.ts';
import { type GatewayProcess, gatewayProcess } from './support/gateway-process.ts';
import { type IsolatedNetwork, isolatedNetwork, skipUnisolated } from './support/isolated.ts';
import { type PythonIndex, pythonIndex } from './support/python-index.ts';
import { type Finished, run } from './support/run.ts';

const nail = { name: 'nail', version: '1.0' };
const projects = [
  nail,
  { name: 'big-board', version: '2.1', requires: ['nail>=1'] },
  { name: 'hammer', version: '0.3', requires: ['big-board==2.*', 'nail'] },
];
const wholeTree = [
  ...['big_board-2.1.dist-info', 'big_board.py', 'hammer-0.3.dist-info', 'hammer.py'],
  ...['nail-1.0.dist-info', 'nail.py'],
];

function gatewayFor(index: PythonIndex): Promise<GatewayProcess> {
  const mount = { path: '/pypi', ecosystem: 'pypi', upstreams: [{ url: index.pages.url }] };
  return gatewayProcess({ mounts: [{ ...mount, hosts: [`127.0.0.1:${index.files.port}`] }] });
}

/** Itself: where pyenv is, its name leads to a script, and those of several runs fail each other. */
function python(): string {
  const { stdout } = spawnSync('python3', ['-c', 'import sys; print(sys.executable)']);
  return stdout.toString().trim();
}

/** A user of pip who has downloaded nothing yet. */
class PipUser {
  readonly folder: string;
  readonly #network: IsolatedNetwork | undefined;
  readonly #env: Readonly<Record<string, string>>;

  constructor(folder: string, indexUrl: string, network: IsolatedNetwork | undefined) {
    this.folder = folder;
    this.#network = network;
    this.#env = {
      HOME: folder,
      PIP_CONFIG_FILE: '/dev/null',
      PIP_INDEX_URL: indexUrl,
      PIP_DISABLE_PIP_VERSION_CHECK: '1',
      PIP_ROOT_USER_ACTION: 'ignore',
      PIP_RETRIES: '0',
    };
  }

  install(...args: readonly string[]): Promise<Finished> {
    const options = { cwd: this.folder, env: this.#env };
    return (this.#network ?? { run }).run(python(), this.#command(args), options);
  }

  /** The same where it may fail. */
  attempt(...args: readonly string[]): Promise<Finished> {
    if (!this.#network) throw new Error('only for users of the gateway');
    return this.#network.attempt(python(), this.#command(args), {
      cwd: this.folder,
      env: this.#env,
    });
  }

  #command(args: readonly string[]): string[] {
    return ['-m', 'pip', 'install', '--target', join(this.folder, 'installed'), ...args];
  }

  async installed(): Promise<string[]> {
    const names = await readdir(join(this.folder, 'installed'));
    return names.filter((name) => name !== '__pycache__').sort();
  }
}

async function user(gateway: GatewayProcess): Promise<PipUser> {
  const network = await isolatedNetwork(gateway.url);
  return new PipUser(await temporaryFolder(), `${gateway.url}/pypi/simple/`, network);
}

describe.skipIf(skipUnisolated('pip3'))('pip', client('pip'), () => {
  test(
    'installs, and again from an empty cache while the upstream is switched off',
    shows('cold', 'warm'),
    async () => {
      const index = await pythonIndex(projects);
      const gateway = await gatewayFor(index);
      const first = await user(gateway);
      await first.install('hammer');
      expect(await first.installed()).toEqual(wholeTree);
      expect(index.wheelRequests()).toHaveLength(3);
      const cold = await gateway.stats();

      await index.close();
      const second = await user(gateway);
      await second.install('hammer');
      expect(await second.installed()).toEqual(wholeTree);
      const warm = await gateway.stats();
      expect(warm.traffic.upstreams).toEqual(cold.traffic.upstreams);
      expect((await gateway.kind('pypi', 'index')).upstreamRequests).toBe(3);
      await gateway.stop();
    },
  );

  test(
    'resolves to the same versions and hashes as without the gateway',
    shows('lockfile'),
    async () => {
      const index = await pythonIndex(projects);
      const gateway = await gatewayFor(index);
      const report = ['--dry-run', '--quiet', '--report', '-', 'hammer'];
      const through = await user(gateway);
      const direct = new PipUser(await temporaryFolder(), `${index.pages.url}/simple/`, undefined);
      const lock = locked((await direct.install(...report)).output);
      expect(lock).toHaveLength(3);
      expect(locked((await through.install(...report)).output)).toEqual(lock);

      // And a requirements file with hashes, made without the gateway, holds through it.
      await writeFile(join(through.folder, 'requirements.txt'), `${lock.join('\n')}\n`);
      await through.install('--require-hashes', '-r', 'requirements.txt');
      expect(await through.installed()).toEqual(wholeTree);
    },
  );

  test(
    'gets no wheel that was corrupted upstream, and the right one afterwards',
    shows('corrupted'),
    async () => {
      const index = await pythonIndex([nail]);
      const gateway = await gatewayFor(index);
      const wheel = index.wheel(nail);
      const bad = Buffer.from(wheel);
      const middle = Math.floor(bad.length / 2);
      bad.writeUInt8(bad.readUInt8(middle) ^ 1, middle);
      index.serve(nail, bad);
      const someone = await user(gateway);
      const { code } = await someone.attempt('nail');
      expect(code).not.toBe(0);
      expect(gateway.log).toContainEqual(
        expect.objectContaining({ msg: 'a body without the digest it must have was refused' }),
      );

      index.serve(nail, wheel);
      await someone.install('nail');
      expect(await someone.installed()).toEqual(['nail-1.0.dist-info', 'nail.py']);
    },
  );

  test(
    'of several at once each gets all, and the upstream gives each file once',
    shows('concurrent'),
    async () => {
      const index = await pythonIndex(projects);
      const gateway = await gatewayFor(index);
      const users = await Promise.all(Array.from({ length: 4 }, () => user(gateway)));
      await Promise.all(users.map((each) => each.install('hammer')));
      for (const each of users) expect(await each.installed()).toEqual(wholeTree);
      expect([...index.wheelRequests()].sort()).toEqual([...new Set(index.wheelRequests())].sort());
      const pages = index.pages.requests.map(({ target }) => target);
      expect(new Set(pages).size).toBe(pages.length);
    },
  );

  test('costs a conditional request a page once they are stale', shows('stale'), async () => {
    const index = await pythonIndex(projects, agedOrigin);
    const gateway = await gatewayFor(index);
    await (await user(gateway)).install('hammer');
    const pages = index.pages.requests.length;
    const files = index.files.requests.length;
    const later = await user(gateway);
    await later.install('hammer');
    expect(await later.installed()).toEqual(wholeTree);
    const targets = projects.map(({ name }) => `/simple/${name}/`);
    expectValidated(index.pages.requests.slice(pages), targets);
    expectValidated(index.files.requests.slice(files), []);
  });

  test('is told what does not exist', async () => {
    const gateway = await gatewayFor(await pythonIndex([nail]));
    const { code, errors } = await (await user(gateway)).attempt('absent');
    expect(code).not.toBe(0);
    expect(errors).toContain('No matching distribution found');
  });
});

test.skipIf(skipUnisolated())('a tool that goes past the gateway fails its test', async () => {
  const gateway = await gatewayProcess({ mounts: [] });
  const network = await isolatedNetwork(gateway.url);
  expect((await network.run('curl', ['-sS', gateway.url])).output).toContain('Millrace');
  await expect(network.attempt('curl', ['-sS', 'http://192.0.2.1/'])).rejects.toThrow(
    'tried 1 times',
  );
});

/** Requirements with their hashes, from pip's installation report. */
function locked(report: string): string[] {
  const { install } = JSON.parse(report) as {
    install: {
      metadata: { name: string; version: string };
      download_info: { archive_info: { hash: string } };
    }[];
  };
  return install
    .map(({ metadata, download_info }) => {
      const hash = download_info.archive_info.hash.replace('=', ':');
      return `${metadata.name}==${metadata.version} --hash=${hash}`;
    })
    .sort();
}

import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '../../../src/cli/program.ts';
import { FakeProcess } from '../../cli/support.ts';
import { temporaryFolder } from '../../support/gateway.ts';
import { type IsolatedNetwork, isolatedNetwork } from './isolated.ts';
import type { Finished } from './run.ts';

/** A user with a home and a project of the test, who runs `millrace` and then the tool. */
export class SetUpUser {
  readonly home: string;
  readonly project: string;
  readonly #network: IsolatedNetwork;
  readonly #gateway: readonly string[];
  /** What a shell has once the lines that setup prints are in it. */
  #exported: Readonly<Record<string, string>> = {};

  constructor(home: string, project: string, network: IsolatedNetwork, gateway: readonly string[]) {
    this.home = home;
    this.project = project;
    this.#network = network;
    this.#gateway = gateway;
  }

  /** Writes files, by their paths in the home. */
  async configure(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(this.home, name)), { recursive: true });
      await writeFile(join(this.home, name), text, { mode: 0o600 });
    }
  }

  /** Writes files of the project. */
  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(this.project, name)), { recursive: true });
      await writeFile(join(this.project, name), text);
    }
  }

  /** `millrace setup`; the files that it names, absolute. */
  async setUp(tool: string, ...args: readonly string[]): Promise<string[]> {
    const { output } = await this.#millrace('setup', tool, ...args, ...this.#gateway);
    const exported = output.matchAll(/^ {2}export (\w+)=(\S+)$/gm);
    this.#exported = Object.fromEntries(
      [...exported].map(([, name = '', value = '']) => [name, value]),
    );
    return output.split('\n').flatMap((line) => /^(\/\S+)/.exec(line)?.[1] ?? []);
  }

  /** `millrace doctor`, what it says; rejects when something is wrong. */
  async doctor(tool: string): Promise<string> {
    return (await this.#millrace('doctor', tool, ...this.#gateway)).output;
  }

  async undo(tool: string): Promise<void> {
    await this.#millrace('setup', 'undo', tool);
    this.#exported = {};
  }

  /** Runs the tool in the project, where there is nothing but the gateway. */
  async run(
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Finished> {
    const all = { HOME: this.home, ...this.#exported, ...env };
    return this.#network.run(command, args, { cwd: this.project, env: all });
  }

  /** Mode and bytes of files, undefined for those that are not there. */
  async states(paths: readonly string[]): Promise<Record<string, string | undefined>> {
    const states: Record<string, string | undefined> = {};
    for (const path of paths) {
      const found = await stat(path).catch(() => undefined);
      states[path] =
        found && `${found.mode.toString(8)} ${(await readFile(path)).toString('base64')}`;
    }
    return states;
  }

  /** In this process: a start of its own for each of them would take longer than the tool. */
  async #millrace(...args: readonly string[]): Promise<{ readonly output: string }> {
    const fake = new FakeProcess();
    const env = { HOME: this.home, ...this.#exported };
    const code = await run(args, fake.io({ cwd: this.project, env }));
    if (code === 0) return { output: fake.stdout.text };
    throw new Error(`millrace ${args.join(' ')}:\n${fake.stdout.text}${fake.stderr.text}`);
  }
}

/** Such a user; `ca` is the file of the gateway's authority. */
export async function setUpUser(gatewayUrl: string, ca?: string): Promise<SetUpUser> {
  const gateway = ['--url', gatewayUrl, ...(ca === undefined ? [] : ['--ca', ca])];
  const network = await isolatedNetwork(gatewayUrl);
  return new SetUpUser(await temporaryFolder(), await temporaryFolder(), network, gateway);
}

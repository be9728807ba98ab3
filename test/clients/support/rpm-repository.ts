import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { temporaryFolder } from '../../support/gateway.ts';
import { type HttpOrigin, httpOrigin } from '../../support/http-origin.ts';
import { run } from './run.ts';

/** A repository of the running test at `/os`, made by rpmbuild and createrepo_c. */
export class RpmRepository {
  readonly origin: HttpOrigin;
  readonly #folder: string;
  readonly #arguments: readonly string[];

  constructor(origin: HttpOrigin, folder: string, args: readonly string[]) {
    this.origin = origin;
    this.#folder = folder;
    this.#arguments = args;
  }

  /** Builds `nail` in this version and publishes metadata that names it alone. */
  async publish(version: string): Promise<void> {
    const top = join(this.#folder, 'top');
    const files = join(this.#folder, `files-${version}`);
    await mkdir(files, { recursive: true });
    const spec = join(this.#folder, 'nail.spec');
    const head = ['Name: nail', `Version: ${version}`, 'Release: 1', 'Summary: nothing'];
    const rest = ['License: MIT', 'BuildArch: noarch', '%description', 'nothing', '%files', ''];
    await writeFile(spec, [...head, ...rest].join('\n'));
    const env = { HOME: this.#folder };
    const define = ['--define', `_topdir ${top}`, '--define', `_rpmdir ${files}`];
    await run('rpmbuild', ['-bb', ...define, spec], { env });
    await run('createrepo_c', ['--no-database', ...this.#arguments, files], { env });
    await this.#serve(files);
    await rm(top, { recursive: true });
  }

  /** Moves on to `version`, which is built already, once its `repomd.xml` has been asked for. */
  async publishAfterRepomd(version: string): Promise<void> {
    const path = '/os/repodata/repomd.xml';
    const before = new Map(this.#handlers());
    const now = this.origin.handlerOf(path);
    await this.publish(version);
    const after = new Map(this.#handlers());
    const put = (handlers: ReadonlyMap<string, ReturnType<HttpOrigin['handlerOf']>>): void => {
      for (const [target, handler] of handlers) if (handler) this.origin.handle(target, handler);
    };
    put(before);
    this.origin.handle(path, (request, response) => {
      put(after);
      return now?.(request, response);
    });
  }

  /** All that it has served so far, with what answers for it now. */
  *#handlers(): Generator<[string, ReturnType<HttpOrigin['handlerOf']>]> {
    for (const target of this.#served) yield [target, this.origin.handlerOf(target)];
  }

  readonly #served = new Set<string>();

  async #serve(folder: string): Promise<void> {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const target = `/os/${relative(folder, path)}`;
      const headers: Record<string, string> = {};
      if (entry.name === 'repomd.xml') headers['Cache-Control'] = 'max-age=3600';
      this.origin.serve(target, { body: await readFile(path), headers });
      this.#served.add(target);
    }
  }
}

/** One that has version 1; `args` are for createrepo_c. */
export async function rpmRepository(
  args: readonly string[] = [],
  origin?: HttpOrigin,
): Promise<RpmRepository> {
  const repository = new RpmRepository(
    origin ?? (await httpOrigin()),
    await temporaryFolder(),
    args,
  );
  await repository.publish('1');
  return repository;
}

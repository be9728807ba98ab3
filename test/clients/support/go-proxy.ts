import { type HttpOrigin, httpOrigin } from '../../support/http-origin.ts';
import { zip } from './zip.ts';

export interface GoModule {
  readonly path: string;
  readonly version: string;
  /** Versions by module path. */
  readonly requires?: Readonly<Record<string, string>>;
}

/** A small module proxy on loopback, by the GOPROXY protocol. */
export class GoProxy {
  readonly origin: HttpOrigin;

  constructor(origin: HttpOrigin) {
    this.origin = origin;
  }

  add(module: GoModule): void {
    const { path, version } = module;
    const info = JSON.stringify({ Version: version, Time: '2026-01-01T00:00:00Z' });
    const moving = { 'Cache-Control': 'public, max-age=60' };
    this.origin.serve(`/${path}/@v/list`, { body: `${version}\n`, headers: moving });
    this.origin.serve(`/${path}/@latest`, { body: info, headers: moving });
    this.origin.serve(`/${path}/@v/${version}.info`, { body: info });
    this.origin.serve(`/${path}/@v/${version}.mod`, { body: goMod(module) });
    this.serve(module, zipOf(module));
  }

  /** Serves these bytes as the module's zip. */
  serve({ path, version }: GoModule, body: Buffer): void {
    this.origin.serve(`/${path}/@v/${version}.zip`, { body });
  }

  /** Paths asked for so far. */
  targets(): string[] {
    return this.origin.requests.map(({ target }) => target);
  }
}

/** The zip of a module whose function says its path and version, and that imports what it requires. */
export function zipOf(module: GoModule): Buffer {
  return zip(moduleFiles(module));
}

export function moduleFiles(module: GoModule): Readonly<Record<string, string>> {
  const { path, version, requires = {} } = module;
  const name = path.slice(path.lastIndexOf('/') + 1);
  const imports = Object.keys(requires).map((each) => `import _ "${each}"\n`);
  const body = `func Name() string { return "${path} ${version}" }\n`;
  return {
    [`${path}@${version}/go.mod`]: goMod(module),
    [`${path}@${version}/lib.go`]: `package ${name}\n\n${imports.join('')}\n${body}`,
  };
}

export function goMod({ path, requires = {} }: GoModule): string {
  const lines = Object.entries(requires).map(([each, version]) => `require ${each} ${version}\n`);
  // Before module graphs were pruned: who requires a module has what that one requires, too.
  return `module ${path}\n\ngo 1.16\n\n${lines.join('')}`;
}

/** A proxy of the running test with these modules. */
export async function goProxy(
  modules: readonly GoModule[],
  origin: () => Promise<HttpOrigin> = httpOrigin,
): Promise<GoProxy> {
  const proxy = new GoProxy(await origin());
  for (const module of modules) proxy.add(module);
  return proxy;
}

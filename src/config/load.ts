import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { completeMount } from './complete-mount.ts';
import type { Config } from './config.ts';
import { defaultMounts, isLoopback } from './default-mounts.ts';
import { readFileLayer } from './file-layer.ts';
import type { HostDefaults } from './host-defaults.ts';
import type { Layer } from './layer.ts';
import { type Effective, merge } from './merge.ts';
import { readPresets } from './mirror-presets.ts';
import type { Problem } from './problem.ts';
import { fileVariable, readEnvironment, readFlags } from './text-layers.ts';

/** Where a configuration comes from. */
export interface LoadOptions {
  /** Relative to `cwd`; without it the variable `MILLRACE_CONFIG` may name one. */
  readonly file?: string | undefined;
  /** Texts by flag, as in `{ '--port': '8080' }`. */
  readonly flags: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly hostDefaults: HostDefaults;
}

export type LoadResult =
  | {
      readonly ok: true;
      readonly config: Config;
      /** Who said so, by setting: `default`, `--port`, `MILLRACE_DATA`, `millrace.yaml:3`. */
      readonly sources: ReadonlyMap<string, string>;
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Reads flags, environment and file, in that order of precedence, over the defaults. All problems
 * are reported at once, also those of values that something else overrides.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadResult> {
  const file = options.file ?? (options.env[fileVariable] || undefined);
  const flags = readFlags(options.flags);
  const environment = readEnvironment(options.env);
  const fromFile = await readFileAt(file, options.cwd);
  const layers = [flags, environment, fromFile];
  const problems = layers.flatMap((layer) => layer.problems);
  const effective = merge(layers);
  if (problems.length === 0) problems.push(...crossProblems(effective));
  const presets = await readPresets(effective.values.mirrorPresets);
  problems.push(...presets.problems);
  if (problems.length > 0) return { ok: false, problems };

  const { values, sources } = effective;
  // A path belongs to whoever named it: to the file's own folder, or where the command was given.
  const place = (path: string, value: string): string =>
    file !== undefined && sources.get(path) === fromFile.values.get(path)?.source
      ? resolve(options.cwd, dirname(file), value)
      : resolve(options.cwd, value);
  const { certificate, key } = values.listen.tls;
  const host = options.hostDefaults;
  const suggested = defaultMounts(host, { ...values.listen, publicUrl: values.publicUrl });
  const warnings = [...host.warnings, ...securityWarnings(effective)];
  if (values.mounts === undefined) {
    warnings.push(...suggested.warnings);
    suggested.mounts.forEach(({ source }, at) => {
      sources.set(`mounts[${at}]`, source);
    });
  }
  const config: Config = {
    ...values,
    data: place('data', values.data),
    listen: {
      ...values.listen,
      tls: {
        ...values.listen.tls,
        certificate: certificate && place('listen.tls.certificate', certificate),
        key: key && place('listen.tls.key', key),
      },
    },
    mounts: (
      values.mounts ??
      suggested.mounts.map(({ path, ecosystem, url }) => ({
        path,
        ecosystem,
        upstreams: [{ url }],
      }))
    ).map((mount) => completeMount(mount, values)),
    mirrors: values.mirrors ?? [],
    presetMirrors: presets.rules,
    npmCanonicalRegistry: host.npmCanonicalRegistry,
    aptHosts: host.aptHosts,
  };
  return { ok: true, config, sources, warnings };
}

async function readFileAt(file: string | undefined, cwd: string): Promise<Layer> {
  if (file === undefined) return { values: new Map(), problems: [] };
  try {
    return readFileLayer(file, await readFile(resolve(cwd, file), 'utf8'));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    const wrong = code === 'ENOENT' ? 'there is no such file' : `the file cannot be read (${code})`;
    const right = 'give the path of a readable YAML file';
    return { values: new Map(), problems: [{ source: file, path: '', wrong, right }] };
  }
}

function crossProblems(effective: Effective): Problem[] {
  return [...portProblems(effective), ...pairProblems(effective)];
}

/** A certificate is of no use without its key. */
function pairProblems({ values, sources }: Effective): Problem[] {
  const { certificate, key } = values.listen.tls;
  if ((certificate === undefined) === (key === undefined)) return [];
  const [there, missing] = key === undefined ? ['certificate', 'key'] : ['key', 'certificate'];
  const path = `listen.tls.${there}`;
  return [
    {
      source: sources.get(path) ?? 'default',
      path,
      wrong: `it is given without listen.tls.${missing}`,
      right: 'give both, or none',
    },
  ];
}

function portProblems({ values, sources }: Effective): Problem[] {
  const { listen, admin } = values;
  if (listen.port !== admin.port || listen.port === 0 || listen.host !== admin.host) return [];
  const path = sources.get('admin.port') === 'default' ? 'listen.port' : 'admin.port';
  return [
    {
      source: sources.get(path) ?? 'default',
      path,
      wrong: `listen and admin are both on port ${listen.port}`,
      right: 'give one of them another port',
    },
  ];
}

function securityWarnings({ values }: Effective): string[] {
  if (isLoopback(values.admin.host) || values.admin.token !== undefined) return [];
  return ['the admin side listens beyond loopback without a token: set `admin.token`'];
}

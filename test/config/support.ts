import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { HostDefaults } from '../../src/config/host-defaults.ts';
import { type LoadOptions, type LoadResult, loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';

/** A host that has npm on a made-up registry, and no apt. */
export const plainHost: HostDefaults = {
  npmRegistry: 'https://registry.test/',
  npmCanonicalRegistry: 'https://public.registry.test',
  aptArchives: [],
  aptHosts: [],
  warnings: [],
};

/** A folder with the file `millrace.yaml` of that text in it; removed after the test. */
export async function folderWith(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-config-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'millrace.yaml'), text);
  return folder;
}

/** Loads with nothing given but what is said. */
export function load(options: Partial<LoadOptions> = {}): Promise<LoadResult> {
  return loadConfig({
    flags: {},
    env: {},
    cwd: '/work-folder',
    hostDefaults: plainHost,
    ...options,
  });
}

/** Loads the text as `millrace.yaml` in a folder of its own. */
export async function loadText(
  text: string,
  options: Partial<LoadOptions> = {},
): Promise<LoadResult> {
  return load({ file: 'millrace.yaml', cwd: await folderWith(text), ...options });
}

/** The lines that a user would see; fails when there is no problem. */
export async function problemsOf(loading: Promise<LoadResult>): Promise<string[]> {
  const result = await loading;
  if (result.ok) throw new Error('the configuration was accepted');
  return result.problems.map(formatProblem);
}

/** The result, which must be good. */
export async function good(
  loading: Promise<LoadResult>,
): Promise<Extract<LoadResult, { ok: true }>> {
  const result = await loading;
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result;
}

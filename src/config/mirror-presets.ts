import { readFile } from 'node:fs/promises';
import type { MirrorRuleConfig } from './config.ts';
import { readRules } from './file-layer.ts';
import type { Problem } from './problem.ts';

/** The folder of the presets that come with Millrace. */
export const presetFolder: URL = new URL('../../config/mirrors/', import.meta.url);

/** The rules of the presets of these names, each of which has a file. */
export async function readPresets(
  names: readonly string[],
): Promise<{ readonly rules: readonly MirrorRuleConfig[]; readonly problems: readonly Problem[] }> {
  const files = await Promise.all(
    names.map(async (name) => {
      const file = `config/mirrors/${name}.yaml`;
      return readRules(file, await readFile(new URL(`${name}.yaml`, presetFolder), 'utf8'));
    }),
  );
  return {
    rules: files.flatMap(({ rules }) => rules),
    problems: files.flatMap(({ problems }) => problems),
  };
}

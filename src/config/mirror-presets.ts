import { readdir, readFile } from 'node:fs/promises';
import type { MirrorRuleConfig } from './config.ts';
import { readRules } from './file-layer.ts';
import type { Problem } from './problem.ts';
import { nearest } from './suggest.ts';

/** The folder of the presets that come with Millrace. */
export const presetFolder: URL = new URL('../../config/mirrors/', import.meta.url);

/** The rules of the presets of these names; `source` is who named them. */
export async function readPresets(
  names: readonly string[],
  source: string,
  folder = presetFolder,
): Promise<{ readonly rules: readonly MirrorRuleConfig[]; readonly problems: readonly Problem[] }> {
  if (names.length === 0) return { rules: [], problems: [] };
  const known = (await readdir(folder))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -'.yaml'.length))
    .sort();
  const rules: MirrorRuleConfig[] = [];
  const problems: Problem[] = [];
  for (const name of names) {
    if (!known.includes(name)) {
      const meant = nearest(name, known);
      problems.push({
        source,
        path: 'mirrorPresets',
        wrong: `there is no preset ${name}`,
        right: meant === undefined ? `known: ${known.join(', ')}` : `did you mean ${meant}?`,
      });
      continue;
    }
    const file = `config/mirrors/${name}.yaml`;
    const read = readRules(file, await readFile(new URL(`${name}.yaml`, folder), 'utf8'));
    rules.push(...read.rules);
    problems.push(...read.problems);
  }
  return { rules, problems };
}

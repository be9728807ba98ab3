import { settings } from './declarations.ts';
import { faultsOf } from './issues.ts';
import type { Given, Layer } from './layer.ts';
import { formatPath, type Problem } from './problem.ts';
import { environmentName, type Setting, settingsOf } from './setting.ts';
import { nearest } from './suggest.ts';

/** The variable that names the configuration file. */
export const fileVariable = 'MILLRACE_CONFIG';

/**
 * What the environment says. A variable that is empty counts as not set; one that begins with
 * `MILLRACE_` and is no setting is a problem.
 */
export function readEnvironment(environment: Readonly<Record<string, string | undefined>>): Layer {
  const known = new Map(
    [...settingsOf(settings)].map((entry) => [environmentName(entry.path), entry]),
  );
  const values = new Map<string, Given>();
  const problems: Problem[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith('MILLRACE_') || name === fileVariable || !text) continue;
    const entry = known.get(name);
    if (entry) readText(name, entry.path, entry.setting, text, values, problems);
    else problems.push(unknownVariable(name, [...known.keys(), fileVariable]));
  }
  return { values, problems };
}

/** What the command line says: texts by flag, as in `{ '--port': '8080' }`. */
export function readFlags(flags: Readonly<Record<string, string>>): Layer {
  const values = new Map<string, Given>();
  const problems: Problem[] = [];
  for (const { path, setting } of settingsOf(settings)) {
    const flag = setting.flag?.split(' ')[0];
    const text = flag === undefined ? undefined : flags[flag];
    if (flag === undefined || text === undefined) continue;
    readText(flag, path, setting, text, values, problems);
  }
  return { values, problems };
}

function readText(
  source: string,
  path: string,
  setting: Setting<unknown>,
  text: string,
  values: Map<string, Given>,
  problems: Problem[],
): void {
  const input = setting.type.fromText(text);
  const parsed = setting.type.schema.safeParse(input);
  if (parsed.success) {
    values.set(path, { value: parsed.data, source });
    return;
  }
  for (const { path: below, wrong, right } of faultsOf(parsed.error, settings, input)) {
    problems.push({
      source,
      path: path + formatPath(below),
      wrong,
      ...(right === undefined ? {} : { right }),
    });
  }
}

function unknownVariable(name: string, known: readonly string[]): Problem {
  const problem = { source: name, path: '' };
  const list = /^MILLRACE_(MOUNTS|MIRRORS)(_|$)/.exec(name)?.[1]?.toLowerCase();
  if (list !== undefined) {
    return {
      ...problem,
      wrong: `${list} cannot be given by a variable`,
      right: `put them into a file and name that in ${fileVariable} or --config`,
    };
  }
  const meant = nearest(name, known);
  return {
    ...problem,
    wrong: 'there is no such setting',
    right: meant === undefined ? `known: ${known.join(', ')}` : `did you mean ${meant}?`,
  };
}

import type { MirrorRuleConfig } from './config.ts';
import { settings } from './declarations.ts';
import { fileSchema } from './file-schema.ts';
import { type Fault, faultsOf, valueAt } from './issues.ts';
import type { Given, Layer } from './layer.ts';
import { mirrorFaults } from './mirror-checks.ts';
import { mirrors } from './mirror-declarations.ts';
import { mountFaults } from './mount-checks.ts';
import { formatPath, type Problem } from './problem.ts';
import { isSetting, settingsOf } from './setting.ts';
import { readYaml, type YamlSource } from './yaml-source.ts';

/** What the text of a configuration file says; `file` names it in problems and sources. */
export function readFileLayer(file: string, text: string): Layer {
  const yaml = readYaml(file, text);
  if (yaml.data === undefined) return { values: new Map(), problems: inOrder(yaml.problems) };
  const parsed = fileSchema(settings).safeParse(yaml.data);
  const faults = [
    ...(parsed.success ? [] : faultsOf(parsed.error, settings, yaml.data)),
    ...mountFaults(valueAt(yaml.data, ['mounts'])),
    ...mirrorFaults(valueAt(yaml.data, ['mirrors'])),
  ];
  const problems = [...yaml.problems, ...faults.map((fault) => toProblem(file, yaml, fault))];
  const values = parsed.success ? givenValues(file, yaml, parsed.data) : new Map<string, Given>();
  return { values, problems: inOrder(problems) };
}

/** A file that holds `mirrors` and nothing else. */
export function readRules(
  file: string,
  text: string,
): { readonly rules: readonly MirrorRuleConfig[]; readonly problems: readonly Problem[] } {
  const yaml = readYaml(file, text);
  if (yaml.data === undefined) return { rules: [], problems: inOrder(yaml.problems) };
  const parsed = fileSchema({ mirrors }).safeParse(yaml.data);
  const faults = [
    ...(parsed.success ? [] : faultsOf(parsed.error, { mirrors }, yaml.data)),
    ...mirrorFaults(valueAt(yaml.data, ['mirrors'])),
  ];
  const problems = [...yaml.problems, ...faults.map((fault) => toProblem(file, yaml, fault))];
  const usable = parsed.success && problems.length === 0;
  // The schema of the declarations gives just this shape.
  const rules = (usable ? valueAt(parsed.data, ['mirrors']) : undefined) as
    | readonly MirrorRuleConfig[]
    | undefined;
  return { rules: rules ?? [], problems: inOrder(problems) };
}

function givenValues(file: string, yaml: YamlSource, data: unknown): Map<string, Given> {
  const values = new Map<string, Given>();
  const paths = [...settingsOf(settings)].map(({ path }) => path);
  // Lists are given as a whole.
  const lists = Object.entries(settings).filter(([, node]) => 'kind' in node && !isSetting(node));
  for (const path of [...paths, ...lists.map(([key]) => key)]) {
    const parts = path.split('.');
    const value = valueAt(data, parts);
    if (value === undefined) continue;
    values.set(path, { value, source: `${file}:${yaml.placeOfKey(parts).line}` });
  }
  return values;
}

function toProblem(file: string, yaml: YamlSource, fault: Fault): Problem {
  const { path, key, wrong, right } = fault;
  return {
    source: file,
    ...(key ? yaml.placeOfKey(path) : yaml.placeOfValue(path)),
    path: formatPath(path),
    wrong,
    ...(right === undefined ? {} : { right }),
  };
}

function inOrder(problems: readonly Problem[]): Problem[] {
  return problems.toSorted(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
}

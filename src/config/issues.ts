import type { z } from 'zod';
import { formatPath, type Path } from './problem.ts';
import { isList, type SettingGroup, settingsOf } from './setting.ts';
import { nearestSetting } from './suggest.ts';
import { describe } from './value-type.ts';

/** A fault in given data, before it is said where that stands. */
export interface Fault {
  readonly path: Path;
  /** The key itself is at fault, not its value. */
  readonly key: boolean;
  readonly wrong: string;
  readonly right?: string;
}

/** The issues of a tree's schema in our words; `data` is what was checked. */
export function faultsOf(error: z.ZodError, root: SettingGroup, data: unknown): Fault[] {
  return error.issues.flatMap((issue): Fault[] => {
    const path = issue.path.filter((part) => typeof part !== 'symbol');
    const fault = { path, key: false };
    switch (issue.code) {
      case 'custom': {
        const right: unknown = issue.params?.right;
        return [
          { ...fault, wrong: issue.message, ...(typeof right === 'string' ? { right } : {}) },
        ];
      }
      case 'unrecognized_keys':
        return issue.keys.map((key) => unknownKey(root, path, key));
      case 'too_small':
        return [{ ...fault, wrong: 'is an empty list', right: `give ${issue.minimum} or more` }];
      case 'invalid_type':
        return [wrongShape(fault, issue.expected, valueAt(data, path))];
      default:
        return [{ ...fault, wrong: issue.message }];
    }
  });
}

function wrongShape(fault: { path: Path; key: boolean }, expected: string, input: unknown): Fault {
  const list = expected === 'array';
  const right = list ? 'give a list, each entry after a dash' : 'give keys and values under it';
  if (input === undefined) return { ...fault, wrong: 'is missing', right };
  if (input === null) return { ...fault, wrong: 'has no value', right };
  return { ...fault, wrong: `${describe(input)} is not a ${list ? 'list' : 'mapping'}`, right };
}

function unknownKey(root: SettingGroup, parent: Path, key: string): Fault {
  const siblings = Object.keys(groupAt(root, parent));
  // Inside a list the settings of the top are no answer.
  const elsewhere = parent.some((part) => typeof part === 'number')
    ? []
    : [...settingsOf(root)].map(({ path }) => path);
  const meant = nearestSetting(formatPath(parent), key, siblings, elsewhere);
  return {
    path: [...parent, key],
    key: true,
    wrong: 'there is no such setting',
    right: meant === undefined ? `known here: ${siblings.join(', ')}` : `did you mean ${meant}?`,
  };
}

function groupAt(root: SettingGroup, path: Path): SettingGroup {
  let group = root;
  for (const part of path) {
    if (typeof part === 'number') continue;
    const node = group[part];
    if (isList(node)) group = node.fields;
    else if (node !== undefined && node.kind !== 'setting') group = node as SettingGroup;
  }
  return group;
}

/** The value at a path of plain data; undefined when there is none. */
export function valueAt(data: unknown, path: Path): unknown {
  let value = data;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Readonly<Record<string | number, unknown>>)[part];
  }
  return value;
}

import { settings } from './declarations.ts';
import type { Layer } from './layer.ts';
import { isList, isSetting, type SettingGroup, type Values } from './setting.ts';

type Declared = Values<typeof settings>;
type Lists = 'mirrors' | 'mounts';

export interface Effective {
  /** All settings; a list of groups is undefined where no file has it. */
  readonly values: Omit<Declared, Lists> & { readonly [K in Lists]: Declared[K] | undefined };
  /** By path of the setting; what nobody gave is from `default`. */
  readonly sources: Map<string, string>;
}

/** For each setting the first layer that has it, else its default. */
export function merge(layers: readonly Layer[]): Effective {
  const sources = new Map<string, string>();
  const choose = (path: string, fallback: () => unknown): unknown => {
    const given = layers.map(({ values }) => values.get(path)).find((entry) => entry !== undefined);
    sources.set(path, given?.source ?? 'default');
    return given === undefined ? fallback() : given.value;
  };
  // Each value went through the schema of its declaration, which is what Values<> derives from.
  return { values: fill(settings, '', choose) as Effective['values'], sources };
}

function fill(
  group: SettingGroup,
  prefix: string,
  choose: (path: string, fallback: () => unknown) => unknown,
): Readonly<Record<string, unknown>> {
  const filled: Record<string, unknown> = {};
  for (const [key, node] of Object.entries(group)) {
    const path = prefix + key;
    if (isSetting(node)) {
      filled[key] = choose(path, () =>
        node.default === undefined ? undefined : node.type.schema.parse(node.default),
      );
    } else if (isList(node)) filled[key] = choose(path, () => undefined);
    else filled[key] = fill(node, `${path}.`, choose);
  }
  return filled;
}

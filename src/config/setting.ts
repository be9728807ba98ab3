import type { ValueType } from './value-type.ts';

/** The one declaration of a setting. Its path, and from that its variable, is its place in the tree. */
export interface Setting<T> {
  readonly kind: 'setting';
  readonly type: ValueType<T>;
  /** One or two sentences for the reference, the example and the editor. */
  readonly doc: string;
  /** What stands when nothing is given, as it would be written in the file. */
  readonly default: unknown;
  /** What stands when nothing is given, in words, where that is not one value. */
  readonly defaultNote: string | undefined;
  readonly required: boolean;
  /** Never shown. */
  readonly secret: boolean;
  /** A change takes effect on SIGHUP; otherwise it needs a restart. */
  readonly reloadable: boolean;
  /** The flag, `--port`, with a word for its value, `<port>`. */
  readonly flag: string | undefined;
}

/** A list of groups of settings; only a file can hold one. */
export interface SettingList<F extends SettingGroup> {
  readonly kind: 'list';
  readonly fields: F;
  readonly doc: string;
  readonly minimum: number;
  readonly reloadable: boolean;
}

export interface SettingGroup {
  readonly [key: string]: Setting<unknown> | SettingList<SettingGroup> | SettingGroup;
}

/** The values that a tree of declarations describes. */
export type Values<G> = {
  readonly [K in keyof G]: G[K] extends Setting<infer T>
    ? T
    : G[K] extends SettingList<infer F>
      ? readonly Values<F>[]
      : Values<G[K]>;
};

interface Traits {
  readonly secret?: boolean;
  readonly reloadable?: boolean;
  readonly flag?: string;
}

/** A setting with a default, written as in the file. */
export function setting<T>(
  type: ValueType<T>,
  fallback: unknown,
  doc: string,
  traits: Traits = {},
): Setting<T> {
  return declare(type, doc, traits, { default: fallback });
}

/** A setting that may be absent; `note` says what happens then. */
export function optional<T>(
  type: ValueType<T>,
  note: string,
  doc: string,
  traits: Traits = {},
): Setting<T | undefined> {
  // A type of T serves for T | undefined: absence is decided before it is asked.
  return declare<T>(type, doc, traits, { defaultNote: note }) as Setting<T | undefined>;
}

/** A field that each entry of a list must have. */
export function required<T>(type: ValueType<T>, doc: string): Setting<T> {
  return declare(type, doc, {}, { required: true });
}

/** The settings below a group, with their paths; lists are not entered. */
export function* settingsOf(
  group: SettingGroup,
  prefix = '',
): Generator<{ readonly path: string; readonly setting: Setting<unknown> }> {
  for (const [key, node] of Object.entries(group)) {
    if (isSetting(node)) yield { path: prefix + key, setting: node };
    else if (!isList(node)) yield* settingsOf(node, `${prefix}${key}.`);
  }
}

/** The environment variable of a path: `timeouts.firstByte` is `MILLRACE_TIMEOUTS_FIRST_BYTE`. */
export function environmentName(path: string): string {
  const words = path.replace(/([a-z])([A-Z])/g, '$1_$2').replaceAll('.', '_');
  return `MILLRACE_${words.toUpperCase()}`;
}

export function isSetting(node: SettingGroup[string] | undefined): node is Setting<unknown> {
  return node?.kind === 'setting';
}

export function isList(node: SettingGroup[string] | undefined): node is SettingList<SettingGroup> {
  return node?.kind === 'list';
}

function declare<T>(
  type: ValueType<T>,
  doc: string,
  traits: Traits,
  absence: Partial<Pick<Setting<T>, 'default' | 'defaultNote' | 'required'>>,
): Setting<T> {
  return {
    kind: 'setting',
    type,
    doc,
    default: absence.default,
    defaultNote: absence.defaultNote,
    required: absence.required ?? false,
    secret: traits.secret ?? false,
    reloadable: traits.reloadable ?? true,
    flag: traits.flag,
  };
}

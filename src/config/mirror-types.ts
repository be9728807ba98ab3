import { byteRateHint, formatByteRate, parseByteRate } from '../core/byte-rate.ts';
import { ecosystemIds } from '../core/ecosystem-ids.ts';
import { type Compiled, compilePattern, compileTemplate } from '../core/url-pattern.ts';
import { type Accepted, describe, leafSchema, refuse, type ValueType } from './value-type.ts';

const mostPlaces = 10_000;
const countHint = `give a whole number from 1 to ${mostPlaces}`;

/** How many at a time. */
export const places: ValueType<number> = {
  name: 'number',
  json: { type: 'integer', minimum: 1, maximum: mostPlaces },
  schema: leafSchema((input) =>
    isPlaces(input) ? { value: input } : refuse(input, 'a number of requests', countHint),
  ),
  fromText: (text) => (/^\d+$/.test(text) ? Number(text) : text),
  format: (value) => value,
};

/** Bytes per second. */
export const byteRate: ValueType<number> = {
  name: 'rate',
  json: { type: 'string', pattern: '^\\d+(\\.\\d+)? ?([KkMmGgTt][Ii]?)?[Bb] ?/ ?s$' },
  schema: leafSchema((input) => {
    const value = typeof input === 'string' ? parseByteRate(input) : undefined;
    if (value === undefined) return refuse(input, 'a rate', `give ${byteRateHint}`);
    if (value < 1024)
      return { wrong: `${describe(input)} is too little`, right: 'give 1KiB/s or more' };
    return { value };
  }),
  fromText: (text) => text,
  format: formatByteRate,
};

const regionHint = 'give a word of lower-case letters, digits and -, such as eu';

/** A name for where something is. */
export const region: ValueType<string> = text('region', regionHint, (input) =>
  /^[a-z0-9][a-z0-9-]{0,31}$/.test(input)
    ? { value: input }
    : refuse(input, 'a region', regionHint),
);

/** The files of rules in `config/mirrors/`, without `.yaml`. */
export const presetNames = [
  'alpine',
  'conda',
  'crates',
  'docker-hub',
  'github-releases',
  'go',
  'hugging-face',
  'jsdelivr',
  'maven',
  'pypi',
  'rubygems',
  'ubuntu',
] as const;

/** An ecosystem and its limit. */
export interface EcosystemLimit {
  readonly ecosystem: string;
  readonly concurrency: number;
}

/** `npm=16` */
export const ecosystemLimit: ValueType<EcosystemLimit> = {
  name: 'ecosystem=number',
  json: { type: 'string', pattern: `^(${ecosystemIds.join('|')})=[1-9]\\d*$` },
  schema: leafSchema((input) => {
    const right = `give one such as npm=16, for one of ${ecosystemIds.join(', ')}`;
    const [, ecosystem = '', digits] =
      typeof input === 'string' ? (/^([\w-]+)=(\d+)$/.exec(input) ?? []) : [];
    const concurrency = Number(digits);
    if (digits === undefined || !isPlaces(concurrency)) {
      return refuse(input, 'a limit for an ecosystem', right);
    }
    if (!(ecosystemIds as readonly string[]).includes(ecosystem)) {
      return { wrong: `${describe(ecosystem)} is not an ecosystem`, right };
    }
    return { value: { ecosystem, concurrency } };
  }),
  fromText: (text) => text,
  format: ({ ecosystem, concurrency }) => `${ecosystem}=${concurrency}`,
};

/** The text of a pattern that compiles. */
export const urlPattern: ValueType<string> = compiling(
  'URL pattern',
  compilePattern,
  'give one such as https://files.example.com/{owner}/{path*}',
);

/** The text of a template that compiles. */
export const urlTemplate: ValueType<string> = compiling(
  'URL template',
  compileTemplate,
  'give one such as https://mirror.example.com/{path}',
);

function compiling(
  name: string,
  compile: (text: string) => Compiled<unknown>,
  right: string,
): ValueType<string> {
  return text(name, right, (input) => {
    const compiled = compile(input);
    return compiled.ok
      ? { value: input }
      : { wrong: `${describe(input)} ${compiled.reason}`, right };
  });
}

function isPlaces(input: unknown): input is number {
  return typeof input === 'number' && Number.isInteger(input) && input >= 1 && input <= mostPlaces;
}

function text(
  name: string,
  right: string,
  accept: (text: string) => Accepted<string>,
): ValueType<string> {
  return {
    name,
    json: { type: 'string', minLength: 1 },
    schema: leafSchema((input) =>
      typeof input === 'string' ? accept(input) : refuse(input, `a ${name}`, right),
    ),
    fromText: (given) => given,
    format: (value) => value,
  };
}

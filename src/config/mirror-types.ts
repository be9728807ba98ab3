import { byteRateHint, formatByteRate, parseByteRate } from '../core/byte-rate.ts';
import { ecosystemIds } from '../core/ecosystem-ids.ts';
import { type Compiled, compilePattern, compileTemplate } from '../core/url-pattern.ts';
import { nearest } from './suggest.ts';
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

/** A name for where something is. */
export const region: ValueType<string> = text('region', (input) =>
  /^[a-z0-9][a-z0-9-]{0,31}$/.test(input)
    ? { value: input }
    : refuse(input, 'a region', 'give a word of lower-case letters, digits and -, such as eu'),
);

/** The name of a file of rules in `config/mirrors/`. */
export const presetName: ValueType<string> = text('preset', (input) =>
  /^[a-z0-9][a-z0-9-]{0,63}$/.test(input)
    ? { value: input }
    : refuse(
        input,
        'the name of a preset',
        'give the name of a file in config/mirrors/, without .yaml',
      ),
);

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
      const meant = nearest(ecosystem, ecosystemIds);
      return {
        wrong: `${describe(ecosystem)} is not an ecosystem`,
        right: meant === undefined ? right : `did you mean ${meant}?`,
      };
    }
    return { value: { ecosystem, concurrency } };
  }),
  fromText: (text) => text,
  format: ({ ecosystem, concurrency }) => `${ecosystem}=${concurrency}`,
};

/** The text of a pattern that compiles. */
export const urlPattern: ValueType<string> = text('URL pattern', (input) =>
  compiles(
    compilePattern(input),
    input,
    'give one such as https://files.example.com/{owner}/{path*}',
  ),
);

/** The text of a template that compiles. */
export const urlTemplate: ValueType<string> = text('URL template', (input) =>
  compiles(compileTemplate(input), input, 'give one such as https://mirror.example.com/{path}'),
);

function compiles(compiled: Compiled<unknown>, input: string, right: string): Accepted<string> {
  return compiled.ok ? { value: input } : { wrong: `${describe(input)} ${compiled.reason}`, right };
}

function isPlaces(input: unknown): input is number {
  return typeof input === 'number' && Number.isInteger(input) && input >= 1 && input <= mostPlaces;
}

function text(name: string, accept: (text: string) => Accepted<string>): ValueType<string> {
  return {
    name,
    json: { type: 'string', minLength: 1 },
    schema: leafSchema((input) =>
      typeof input === 'string' ? accept(input) : refuse(input, `a ${name}`, 'give a text'),
    ),
    fromText: (given) => given,
    format: (value) => value,
  };
}

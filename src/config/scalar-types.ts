import { byteSizeHint, formatByteSize, parseByteSize } from '../core/byte-size.ts';
import { durationHint, formatDuration, parseDuration } from '../core/duration.ts';
import { leafSchema, refuse, type ValueType } from './value-type.ts';

/** One of a closed list of words. */
export function oneOf<const T extends string>(words: readonly T[]): ValueType<T> {
  const right = `give one of ${words.join(', ')}`;
  return {
    name: words.join(', '),
    json: { enum: words },
    schema: leafSchema((input) => {
      const value = words.find((word) => word === input);
      return value === undefined ? refuse(input, 'one of the known words', right) : { value };
    }),
    fromText: (text) => text,
    format: (value) => value,
  };
}

/** Yes or no. */
export const trueOrFalse: ValueType<boolean> = {
  name: 'true or false',
  json: { type: 'boolean' },
  schema: leafSchema((input) =>
    typeof input === 'boolean'
      ? { value: input }
      : refuse(input, 'true or false', 'give true or false, without quotes'),
  ),
  fromText: (text) => (text === 'true' ? true : text === 'false' ? false : text),
  format: (value) => value,
};

/** A TCP port; 0 lets the system choose a free one. */
export const port: ValueType<number> = portFrom(0);

/** A TCP port to connect to. */
export const targetPort: ValueType<number> = portFrom(1);

/** A folder, as written: the loader resolves it against the folder of whoever named it. */
export const folder: ValueType<string> = path('folder', './data');

/** A file, as written: the loader resolves it as it does folders. */
export const file: ValueType<string> = path('file', './cache.pem');

/** A number of bytes, at least `minimum`. */
export function byteSize(minimum: number): ValueType<number> {
  const right = `give ${byteSizeHint}`;
  return {
    name: 'byte size',
    json: {
      type: ['string', 'integer'],
      pattern: '^\\d+(\\.\\d+)? ?([KkMmGgTt]?[Bb]|[KkMmGgTt][Ii][Bb])?$',
    },
    schema: leafSchema((input) => {
      const value = asTextOrNumber(input, parseByteSize);
      if (value === undefined) return refuse(input, 'a byte size', right);
      if (value >= minimum) return { value };
      return { wrong: `${input} is too little`, right: `give ${formatByteSize(minimum)} or more` };
    }),
    fromText: (text) => text,
    format: formatByteSize,
  };
}

/** Milliseconds from `minimum` to `maximum`. */
export function duration(minimum: number, maximum: number): ValueType<number> {
  const right = `give ${durationHint}`;
  const bounds = `from ${formatDuration(minimum)} to ${formatDuration(maximum)}`;
  return {
    name: 'duration',
    json: {
      type: ['string', 'integer'],
      pattern: '^(0|\\d+(\\.\\d+)? ?(ms|s|m|h|d))$',
      maximum: 0,
    },
    schema: leafSchema((input) => {
      const value = asTextOrNumber(input, parseDuration);
      if (value === undefined) return refuse(input, 'a duration', right);
      if (value >= minimum && value <= maximum) return { value };
      return { wrong: `${input} is out of bounds`, right: `give a duration ${bounds}` };
    }),
    fromText: (text) => text,
    format: formatDuration,
  };
}

function asTextOrNumber(
  input: unknown,
  parse: (text: string) => number | undefined,
): number | undefined {
  if (typeof input === 'number') return parse(String(input));
  return typeof input === 'string' ? parse(input) : undefined;
}

function portFrom(minimum: number): ValueType<number> {
  const right = `give a whole number from ${minimum} to 65535, without quotes`;
  return {
    name: 'port',
    json: { type: 'integer', minimum, maximum: 65_535 },
    schema: leafSchema((input) =>
      typeof input === 'number' && Number.isInteger(input) && input >= minimum && input <= 65_535
        ? { value: input }
        : refuse(input, 'a port', right),
    ),
    fromText: (text) => (/^\d+$/.test(text) ? Number(text) : text),
    format: (value) => value,
  };
}

function path(noun: string, example: string): ValueType<string> {
  return {
    name: noun,
    json: { type: 'string', minLength: 1 },
    schema: leafSchema((input) => {
      if (typeof input !== 'string' || input === '' || input.includes('\0')) {
        return refuse(input, `a ${noun}`, `give the path of a ${noun} such as ${example}`);
      }
      // Only a shell knows it; taken literally it would be a name like any other.
      if (input.startsWith('~')) return refuse(input, 'resolved here', 'write the home folder out');
      return { value: input };
    }),
    fromText: (text) => text,
    format: (value) => value,
  };
}

import { z } from 'zod';

/** What a value in a configuration may be: how it is read, checked, described and written again. */
export interface ValueType<T> {
  /** A few words for the reference table: `duration`. */
  readonly name: string;
  /** JSON Schema of what may stand in the file. */
  readonly json: Readonly<Record<string, unknown>>;
  /** Checks and converts what the file says; its issues carry `params.right`. */
  readonly schema: z.ZodType<T>;
  /** What the text of an environment variable or a flag would be in the file. */
  fromText(text: string): unknown;
  /** What one would write in the file for this value. */
  format(value: T): unknown;
}

/** Why a value is not accepted, and what would be. */
export interface Refusal {
  readonly wrong: string;
  readonly right: string;
}

export type Accepted<T> = { readonly value: T } | Refusal;

/** A schema for a single value; `accept` never throws and says both what is wrong and what is right. */
export function leafSchema<T>(accept: (input: unknown) => Accepted<T>): z.ZodType<T> {
  return z.unknown().transform((input, context) => {
    const accepted = accept(input);
    if ('value' in accepted) return accepted.value;
    context.addIssue({
      code: 'custom',
      message: accepted.wrong,
      params: { right: accepted.right },
    });
    return z.NEVER;
  });
}

/** The refusal of `input`, naming it unless it is secret. `noun` with its article: `a port`. */
export function refuse(input: unknown, noun: string, right: string, secret = false): Refusal {
  if (input === undefined) return { wrong: 'is missing', right };
  if (input === null) return { wrong: 'has no value', right };
  return { wrong: `${secret ? 'the value' : describe(input)} is not ${noun}`, right };
}

/** A foreign value in a few words for a message; at most 60 characters of a string. */
export function describe(input: unknown): string {
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object' && input !== null) return 'a mapping';
  if (typeof input !== 'string') return String(input);
  return JSON.stringify(input.length > 60 ? `${input.slice(0, 57)}…` : input);
}

/** A list of values; as text they are separated by commas. */
export function listOf<T>(item: ValueType<T>): ValueType<readonly T[]> {
  return {
    name: `list: ${item.name}`,
    json: { type: 'array', items: item.json },
    schema: z.array(item.schema),
    fromText: (text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '')
        .map((part) => item.fromText(part)),
    format: (values) => values.map((value) => item.format(value)),
  };
}

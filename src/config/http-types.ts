import { leafSchema, refuse, type ValueType } from './value-type.ts';

/** A field name, in lower case: names ignore case. RFC 9110 section 5.1. */
export const fieldName: ValueType<string> = {
  name: 'field name',
  json: { type: 'string', pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" },
  schema: leafSchema((input) =>
    typeof input === 'string' && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(input)
      ? { value: input.toLowerCase() }
      : refuse(input, 'a field name', 'give a name such as CDN-Cache-Control'),
  ),
  fromText: (text) => text,
  format: (value) => value,
};

import { leafSchema, refuse, type ValueType } from './value-type.ts';

/** What stands in place of a secret wherever it would be shown. */
export const redacted = '[redacted]';

/** A bearer token. RFC 6750 section 2.1: b64token, here without the rule on `=`. */
export const bearerToken: ValueType<string> = secret(
  'bearer token',
  /^[A-Za-z0-9\-._~+/=]+$/,
  'give letters, digits and -._~+/=, in quotes',
);

/** A whole `Authorization` field value, sent as it stands. RFC 9110 sections 5.5 and 11.6.2. */
export const authorization: ValueType<string> = secret(
  'Authorization value',
  /^[!-~]+( [!-~]+)*$/,
  'give the whole field value, scheme and credentials, such as "Bearer …"',
);

function secret(name: string, pattern: RegExp, right: string): ValueType<string> {
  return {
    name,
    json: { type: 'string', pattern: pattern.source },
    schema: leafSchema((input) =>
      typeof input === 'string' && pattern.test(input)
        ? { value: input }
        : refuse(input, `a usable ${name}`, right, true),
    ),
    fromText: (text) => text,
    format: () => redacted,
  };
}

import { fieldValue, type RawHeaders } from '../core/raw-headers.ts';
import type { HeadFields } from './response-head.ts';

/** The fields that a body proven by other means may bring along: no cookies, no policies, no names. */
const provenNames: ReadonlySet<string> = new Set([
  'accept-ranges',
  'content-length',
  'content-range',
  'content-type',
  'date',
  'etag',
  'last-modified',
  'transfer-encoding',
]);

/** The named fields of a response, such as a redirect's. */
export function keptOf({ headers }: HeadFields, names: readonly string[]): RawHeaders {
  return names.flatMap((name) => {
    const value = fieldValue(headers, name);
    return value === undefined ? [] : [name, value];
  });
}

/** A response's own fields, and of others those that it has not. */
export function joined(own: RawHeaders, others: RawHeaders): RawHeaders {
  if (others.length === 0) return own;
  const missing = others.filter((_, at) => !hasField(own, others[at - (at % 2)] ?? ''));
  return missing.length === 0 ? own : [...own, ...missing];
}

function hasField(headers: RawHeaders, name: string): boolean {
  return fieldValue(headers, name) !== undefined;
}

/** What a mirror that is to be verified may say of a body. */
export function provenFields(headers: RawHeaders): RawHeaders {
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    if (provenNames.has(name.toLowerCase())) kept.push(name, headers[i + 1] as string);
  }
  return kept;
}

import { fieldLines, type RawHeaders, withoutFields } from '../core/raw-headers.ts';
import { sameSecret } from './same-secret.ts';

/** The request field by which an operator asks for the key. It is between the client and us alone. */
export const debugField = 'millrace-debug';

const own: ReadonlySet<string> = new Set([debugField]);

/** The fields without ours, and whether that held the token; the same list where it is absent. */
export function takeDebugField(
  headers: RawHeaders,
  token: string | undefined,
): { readonly headers: RawHeaders; readonly debug: boolean } {
  const lines = fieldLines(headers, debugField);
  const [given] = lines;
  if (given === undefined) return { headers, debug: false };
  const debug = token !== undefined && lines.length === 1 && sameSecret(given.trim(), token);
  return { headers: withoutFields(headers, own), debug };
}

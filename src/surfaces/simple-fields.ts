import type { RawHeaders } from '../core/raw-headers.ts';

/**
 * What a request's fields mean to the fast path. `plain`: the answer depends on nothing but the
 * request line and `signature`. `simple`: the head ends where it seems to, and no body follows.
 * `other`: that is for the HTTP parser alone to say.
 */
export type FieldsVerdict =
  | { readonly kind: 'plain'; readonly signature: string; readonly headers: RawHeaders }
  | { readonly kind: 'simple' }
  | { readonly kind: 'other' };

/** Fields that may decide on a hit: their values are part of the signature. */
const deciding: ReadonlySet<string> = new Set([
  'host',
  'accept',
  'accept-encoding',
  'if-modified-since',
  'if-none-match',
  'npm-command',
  'user-agent',
]);

/** Fields that no ecosystem and no policy looks at; a `Vary` may still name them. */
export const indifferentFields: ReadonlySet<string> = new Set([
  'accept-language',
  'baggage',
  'connection',
  'dnt',
  'npm-auth-type',
  'npm-in-ci',
  'npm-scope',
  'npm-session',
  'pacote-integrity',
  'pacote-pkg-id',
  'pacote-req-type',
  'pacote-version',
  'priority',
  'proxy-connection',
  'referer',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'sec-fetch-user',
  'traceparent',
  'tracestate',
  'x-request-id',
]);

/** Fields that bear upon where the message ends, or on what the connection is used for next. */
const framing: ReadonlySet<string> = new Set([
  'content-length',
  'expect',
  'http2-settings',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** A field line that every reader takes for the same: a name, and visible ASCII without outer space. */
const line = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+): ?((?:[!-~](?:[ -~]*[!-~])?)?)$/;

const simple: FieldsVerdict = { kind: 'simple' };
const other: FieldsVerdict = { kind: 'other' };

/** Reads the field lines of a head as they came, with CRLF between them and none at the end. */
export function readFields(block: string): FieldsVerdict {
  const headers: string[] = [];
  for (const text of block.split('\r\n')) {
    const [, name, value] = line.exec(text) ?? [];
    if (name === undefined || value === undefined) return other;
    headers.push(name, value);
  }
  return judgeFields(headers);
}

/** The same of fields that the HTTP parser has read. */
export function judgeFields(headers: RawHeaders): FieldsVerdict {
  let signature = '';
  let hosts = 0;
  let plain = true;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    const value = headers[i + 1] as string;
    if (framing.has(name)) return other;
    if (name === 'connection' || name === 'proxy-connection') {
      if (value.toLowerCase() !== 'keep-alive') return other;
    } else if (deciding.has(name)) {
      if (name === 'host') hosts += 1;
      signature += `${name}:${value}\n`;
    } else if (!indifferentFields.has(name)) {
      plain = false;
    }
  }
  return plain && hosts === 1 ? { kind: 'plain', signature, headers } : simple;
}

import { validateHeaderName, validateHeaderValue } from 'node:http';
import { sensitiveHeaders } from 'node:http2';
import { pathOf } from '../core/canonical-url.ts';
import { GatewayError } from '../core/errors.ts';
import type { RawHeaders } from '../core/raw-headers.ts';
import type { UpstreamRequest } from './upstream.ts';

/** Are no fields of HTTP/2, or said by a pseudo-field. RFC 9113 section 8.2.2. */
const unfit: ReadonlySet<string> = new Set([
  'connection',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** Secrets are not left in the table of either side. RFC 7541 section 7.1.3. */
const secret = ['authorization', 'cookie', 'proxy-authorization'];

/**
 * The fields of a request as HTTP/2 has them: pseudo-fields first, names in lower case. Throws
 * `http_request_error` for what cannot be written. RFC 9113 section 8.3.1.
 */
export function http2RequestFields({ method, url, headers }: UpstreamRequest): string[] {
  const { protocol, host } = new URL(url);
  const fields = [':method', method, ':scheme', protocol.slice(0, -1)];
  fields.push(':authority', host, ':path', pathOf(url));
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [name, value] = [(headers[i] as string).toLowerCase(), headers[i + 1] as string];
    if (unfit.has(name)) continue;
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch (cause) {
      throw new GatewayError('http_request_error', 'the request cannot be sent as it is', {
        origin: 'gateway',
        cause,
      });
    }
    fields.push(name, value);
  }
  return Object.assign(fields, { [sensitiveHeaders]: secret });
}

/** The fields of a response as they came, without pseudo-fields. */
export function http2ResponseFields(raw: readonly string[]): RawHeaders {
  const fields: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    if (!name.startsWith(':')) fields.push(name, raw[i + 1] as string);
  }
  return fields;
}

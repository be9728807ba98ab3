import { type HostPattern, matchesAddress } from '../core/network.ts';
import { fieldValue, type RawHeaders } from '../core/raw-headers.ts';

export interface PublicUrlOptions {
  /** The configured one, without a trailing slash. */
  readonly publicUrl: string | undefined;
  /** Whose forwarding fields are believed. */
  readonly trustedProxies: readonly HostPattern[];
}

export interface Arrival {
  readonly headers: RawHeaders;
  readonly remoteAddress: string;
  /** `host:port` of the socket, for requests without a `Host`. */
  readonly localAuthority: string;
  /** The connection is under TLS. */
  readonly secure?: boolean;
}

/**
 * The gateway's own URL as the client knows it, without a trailing slash: as configured, as a trusted
 * forwarder says, or as the request's own host.
 */
export function publicBase(options: PublicUrlOptions, arrival: Arrival): string {
  if (options.publicUrl !== undefined) return options.publicUrl;
  const { headers, remoteAddress, localAuthority } = arrival;
  const forwarded = matchesAddress(options.trustedProxies, remoteAddress)
    ? forwardedOrigin(headers)
    : {};
  const host = forwarded.host ?? fieldValue(headers, 'host');
  return `${forwarded.proto ?? (arrival.secure === true ? 'https' : 'http')}://${host !== undefined && isAuthority(host) ? host : localAuthority}`;
}

interface Forwarded {
  readonly proto?: string;
  readonly host?: string;
}

/** RFC 7239 `Forwarded`, else the older `X-Forwarded-*`; the element nearest to the client counts. */
function forwardedOrigin(headers: RawHeaders): Forwarded {
  const forwarded = fieldValue(headers, 'forwarded');
  if (forwarded !== undefined) {
    const first = forwarded.split(',', 1)[0] ?? '';
    return checked(parameter(first, 'proto'), parameter(first, 'host'));
  }
  return checked(first(headers, 'x-forwarded-proto'), first(headers, 'x-forwarded-host'));
}

function checked(proto: string | undefined, host: string | undefined): Forwarded {
  const scheme = proto?.toLowerCase();
  return {
    ...((scheme === 'http' || scheme === 'https') && { proto: scheme }),
    ...(host !== undefined && isAuthority(host) && { host }),
  };
}

function first(headers: RawHeaders, name: string): string | undefined {
  return fieldValue(headers, name)?.split(',', 1)[0]?.trim();
}

function parameter(element: string, name: string): string | undefined {
  const match = new RegExp(`(?:^|;)\\s*${name}=("([^"]*)"|[^;\\s]*)`, 'i').exec(element);
  return match?.[2] ?? match?.[1];
}

/** `host` or `host:port`, and nothing that could end up elsewhere in a document. */
function isAuthority(text: string): boolean {
  return /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i.test(text);
}

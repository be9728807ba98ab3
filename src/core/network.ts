import { domainToASCII } from 'node:url';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A host that an operator names: made by `parseHostPattern`. */
export type HostPattern =
  /** One name, or with `subdomains` every name below it and not itself; lower case, no final dot. */
  | {
      readonly kind: 'name';
      readonly name: string;
      readonly subdomains: boolean;
      readonly port?: number;
    }
  /** An address or a network. */
  | {
      readonly kind: 'network';
      readonly address: Address;
      readonly bits: number;
      readonly port?: number;
    };

export type ParsedHostPattern =
  | { readonly ok: true; readonly pattern: HostPattern }
  | { readonly ok: false; readonly reason: string };

/** Public by their number, but the inside of a cloud provider. */
const metadataAddresses: ReadonlySet<string> = new Set(['168.63.129.16']);

/**
 * Whether an address is anything but globally routable unicast: loopback, private, link-local,
 * carrier NAT, unspecified, multicast, reserved, metadata services, and IPv6 forms that carry such an
 * IPv4 address. What is not an address at all counts as private. IANA special-purpose registries.
 */
export function isPrivateAddress(ip: string): boolean {
  const address = parseAddress(ip);
  return address === undefined || isPrivate(address);
}

/**
 * Reads `example.com`, `*.example.com`, an address (`10.0.0.1`, `::1`) or a network (`10.0.0.0/8`,
 * `fd00::/8`), each with an optional `:port`; IPv6 with a port stands in brackets.
 */
export function parseHostPattern(text: string): ParsedHostPattern {
  if (text.includes('://')) return refuse('is a URL: give its host alone');
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)|([^[\]]*:[^[\]]*:[^[\]]*))(?::([^:]*))?$/.exec(text);
  if (match === null) return refuse('is not a host, address or network');
  const [, bracketed, plain, bareIPv6, portText] = match;
  const port = portText === undefined ? undefined : parsePort(portText);
  if (port === 'invalid') return refuse('has a port that is not a number from 1 to 65535');
  const host = bracketed ?? plain ?? bareIPv6 ?? '';
  const withPort = port === undefined ? {} : { port };

  const network = parseNetwork(host);
  if (network !== undefined) {
    if (network.address.kind() === 'ipv4' && bracketed !== undefined) {
      return refuse('has brackets around something other than IPv6');
    }
    return { ok: true, pattern: { kind: 'network', ...network, ...withPort } };
  }
  if (bracketed !== undefined || bareIPv6 !== undefined)
    return refuse('is not an IPv6 address or network');
  if (host.includes('/')) return refuse('is not a network: write it as 10.0.0.0/8 or fd00::/8');
  const subdomains = host.startsWith('*.');
  const name = normaliseName(subdomains ? host.slice(2) : host);
  if (name === undefined) {
    return refuse(
      host.includes('*')
        ? 'may have a * only at its start, as in *.example.com'
        : 'is not a host name',
    );
  }
  return { ok: true, pattern: { kind: 'name', name, subdomains, ...withPort } };
}

/** Whether one of the patterns covers the host of a URL (brackets allowed) on that port. */
export function matchesHost(patterns: readonly HostPattern[], host: string, port: number): boolean {
  const ip = host.startsWith('[') ? host.slice(1, -1) : host;
  if (parseAddress(ip) !== undefined) return matchesAddress(patterns, ip, port);
  const name = host.toLowerCase().replace(/\.$/, '');
  return patterns.some(
    (pattern) =>
      pattern.kind === 'name' &&
      (pattern.port === undefined || pattern.port === port) &&
      (pattern.subdomains ? name.endsWith(`.${pattern.name}`) : name === pattern.name),
  );
}

/**
 * Whether one of the patterns that are addresses or networks covers the address. A pattern with a
 * port covers only that port, so none without one.
 */
export function matchesAddress(
  patterns: readonly HostPattern[],
  ip: string,
  port?: number,
): boolean {
  // Asked on every request, and most configurations name nobody.
  if (patterns.length === 0) return false;
  const parsed = parseAddress(ip);
  if (parsed === undefined) return false;
  const address = unmapped(parsed);
  return patterns.some(
    (pattern) =>
      pattern.kind === 'network' &&
      (pattern.port === undefined || pattern.port === port) &&
      pattern.address.kind() === address.kind() &&
      address.match(pattern.address, pattern.bits),
  );
}

/** The bytes of an address, 4 or 16 of them; undefined for what is none. IPv6 without brackets. */
export function addressBytes(ip: string): Uint8Array | undefined {
  const address = parseAddress(ip);
  return address && Uint8Array.from(address.toByteArray());
}

function isPrivate(address: Address): boolean {
  if (address instanceof ipaddr.IPv4) {
    return address.range() !== 'unicast' || metadataAddresses.has(address.toString());
  }
  const { parts } = address;
  const embedded = (from: number): boolean => isPrivate(ipv4At(parts, from));
  if (address.isIPv4MappedAddress()) return embedded(6);
  // RFC 6052 section 2.1: the well-known NAT64 prefix; RFC 8215's local one stays private.
  if (address.match(ipaddr.IPv6.parse('64:ff9b::'), 96)) return embedded(6);
  // RFC 3056 section 2: 6to4 carries the IPv4 address after the prefix.
  if (parts[0] === 0x2002) return embedded(1);
  // RFC 4291 section 2.5.4: only 2000::/3 is assigned as global unicast (compatible IPv4 is not in it).
  return address.range() !== 'unicast' || ((parts[0] as number) & 0xe000) !== 0x2000;
}

function ipv4At(parts: readonly number[], from: number): ipaddr.IPv4 {
  const [high = 0, low = 0] = parts.slice(from, from + 2);
  return new ipaddr.IPv4([high >> 8, high & 0xff, low >> 8, low & 0xff]);
}

/** Strict: four decimal parts for IPv4, no zone for IPv6. */
function parseAddress(text: string): Address | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  if (text.includes(':') && !text.includes('%') && ipaddr.IPv6.isValid(text)) {
    return ipaddr.IPv6.parse(text);
  }
  return undefined;
}

function parseNetwork(text: string): { address: Address; bits: number } | undefined {
  const [addressText = '', bitsText, ...rest] = text.split('/');
  const address = parseAddress(addressText);
  if (address === undefined || rest.length > 0) return undefined;
  const width = address.kind() === 'ipv4' ? 32 : 128;
  if (bitsText === undefined) return normaliseNetwork(address, width);
  if (!/^\d{1,3}$/.test(bitsText) || Number(bitsText) > width) return undefined;
  return normaliseNetwork(address, Number(bitsText));
}

/** IPv4 in its IPv6 form is the same address: patterns and addresses meet as IPv4. */
function normaliseNetwork(address: Address, bits: number): { address: Address; bits: number } {
  return address.kind() === 'ipv6' && bits >= 96 && unmapped(address) !== address
    ? { address: unmapped(address), bits: bits - 96 }
    : { address, bits };
}

function unmapped(address: Address): Address {
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress()
    ? address.toIPv4Address()
    : address;
}

/** ASCII form in lower case without a final dot; undefined for what no DNS name is. */
function normaliseName(text: string): string | undefined {
  const name = domainToASCII(text).replace(/\.$/, '');
  const label = '[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?';
  const valid = new RegExp(`^(?:${label}\\.)*${label}$`).test(name) && name.length <= 253;
  // A last label of digits would be read as an IPv4 address by URL parsers.
  return valid && !/(^|\.)\d+$/.test(name) ? name : undefined;
}

function parsePort(text: string): number | 'invalid' {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535
    ? Number(text)
    : 'invalid';
}

function refuse(reason: string): ParsedHostPattern {
  return { ok: false, reason };
}

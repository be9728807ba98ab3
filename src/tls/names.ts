import { fromBER, OctetString } from 'asn1js';
import { GeneralName, GeneralSubtree, NameConstraints } from 'pkijs';
import { addressBytes, type HostPattern, parseHostPattern } from '../core/network.ts';

const dnsName = 2;
const ipAddress = 7;

/** What every authority may speak for besides what it is made for: this host. */
const own = ['localhost', '127.0.0.0/8', '::1'];

/** A host as a subject's alternative name. RFC 5280 section 4.2.1.6; IPv6 without brackets. */
export function alternativeName(host: string): GeneralName {
  const bytes = addressBytes(host);
  return bytes === undefined
    ? new GeneralName({ type: dnsName, value: host })
    : new GeneralName({ type: ipAddress, value: octets(bytes) });
}

/**
 * Name constraints to these hosts, names below them, and loopback. RFC 5280 section 4.2.1.10: both
 * kinds are among them, since a kind that is not named at all would be free.
 */
export function constraintsTo(hosts: readonly HostPattern[]): NameConstraints {
  const loopback = own.flatMap((text) => {
    const parsed = parseHostPattern(text);
    return parsed.ok ? [parsed.pattern] : [];
  });
  const bases = new Map<string, GeneralName>();
  for (const pattern of [...loopback, ...hosts]) {
    if (pattern.kind === 'name') {
      bases.set(pattern.name, new GeneralName({ type: dnsName, value: pattern.name }));
      continue;
    }
    const address = pattern.address.toByteArray();
    const value = octets(Uint8Array.from([...address, ...mask(pattern.bits, address.length)]));
    const name = `${pattern.address.toString()}/${pattern.bits}`;
    bases.set(name, new GeneralName({ type: ipAddress, value }));
  }
  return new NameConstraints({
    permittedSubtrees: [...bases.values()].map((base) => new GeneralSubtree({ base })),
  });
}

/** What a certificate's constraints let it sign for; undefined: everything. */
export interface Permitted {
  /** Each stands for itself and all names below it. */
  readonly names: readonly string[];
  /** Address and mask, one behind the other. */
  readonly networks: readonly Uint8Array[];
}

/** Reads the constraints that `constraintsTo` made, from an extension's value. */
export function readConstraints(der: ArrayBuffer): Permitted {
  const { permittedSubtrees = [] } = new NameConstraints({ schema: fromBER(der).result });
  const names: string[] = [];
  const networks: Uint8Array[] = [];
  for (const { base } of permittedSubtrees) {
    const value: unknown = base.value;
    if (base.type === dnsName && typeof value === 'string') names.push(value);
    if (base.type === ipAddress && value instanceof OctetString) {
      networks.push(new Uint8Array(value.getValue()));
    }
  }
  return { names, networks };
}

/** Whether the constraints allow a host; IPv6 without brackets. */
export function isPermitted({ names, networks }: Permitted, host: string): boolean {
  const bytes = addressBytes(host);
  if (bytes === undefined) {
    return names.some((name) => host === name || host.endsWith(`.${name}`));
  }
  return networks.some(
    (network) =>
      network.length === 2 * bytes.length &&
      bytes.every((byte, at) => {
        const bits = network[bytes.length + at] ?? 0;
        return (byte & bits) === ((network[at] ?? 0) & bits);
      }),
  );
}

function mask(bits: number, length: number): number[] {
  return Array.from({ length }, (_, at) => {
    const set = Math.min(8, Math.max(0, bits - 8 * at));
    return (0xff << (8 - set)) & 0xff;
  });
}

function octets(bytes: Uint8Array): OctetString {
  return new OctetString({ valueHex: Uint8Array.from(bytes).buffer });
}

import { homedir } from 'node:os';
import type { KindStats } from '../../../src/core/traffic-stats.ts';
import { type GatewayProcess, gatewayProcess } from '../support/gateway-process.ts';

/** The certificates that this host trusts besides Node's own. */
export const hostTrust: Readonly<Record<string, string>> = hostEnvironment('NODE_EXTRA_CA_CERTS');

/** A gateway without configured mounts: those that npm and apt of this host suggest. */
export function defaultGateway(): Promise<GatewayProcess> {
  const registry = hostEnvironment('npm_config_registry');
  return gatewayProcess({}, { HOME: homedir(), ...registry, ...hostTrust });
}

function hostEnvironment(name: string): Readonly<Record<string, string>> {
  const value = process.env[name];
  return value === undefined ? {} : { [name]: value };
}

/** What the gateway has asked of its upstreams so far. */
export interface UpstreamTotals {
  readonly artifacts: number;
  readonly indexes: number;
  readonly bytes: number;
}

export async function upstreamTotals(
  gateway: GatewayProcess,
  ecosystem: string,
): Promise<UpstreamTotals> {
  const requestsFor = async (kind: KindStats['kind']): Promise<number> =>
    (await gateway.kind(ecosystem, kind)).upstreamRequests;
  return {
    artifacts: await requestsFor('artifact'),
    indexes: await requestsFor('index'),
    bytes: (await gateway.stats()).traffic.bytes.fromUpstreams,
  };
}

/** What came on top. */
export function since(before: UpstreamTotals, now: UpstreamTotals): UpstreamTotals {
  return {
    artifacts: now.artifacts - before.artifacts,
    indexes: now.indexes - before.indexes,
    bytes: now.bytes - before.bytes,
  };
}

/** For the reader of the run: what a second run cost after a first one. */
export function report(first: UpstreamTotals, second: UpstreamTotals): void {
  const line = ({ artifacts, indexes, bytes }: UpstreamTotals): string =>
    `${artifacts} artifacts and ${indexes} indexes asked for upstream, ${bytes} bytes fetched`;
  console.log(`first run:  ${line(first)}\nsecond run: ${line(second)}`);
}

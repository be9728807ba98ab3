import type { EcosystemId } from '../../core/ecosystem-ids.ts';
import { materialPath } from './places.ts';
import { type Ask, type FileEdit, refuse, type Trust } from './tool.ts';

/** The edit that gives a tool a file with all the certificates it is to trust; none where it needs none. */
export function bundleFor({ place, trust }: Ask, tool: string): FileEdit | undefined {
  if (trust === undefined) return undefined;
  const about = "the public authorities and the gateway's own";
  return { path: materialPath(place, `${tool}-ca.pem`), content: trust.bundle(), about };
}

/** What to trust in proxy mode, for tools whose registries are all https. */
export function neededTrust({ trust }: Ask, tool: string): Trust {
  return (
    trust ??
    refuse(
      `${tool} speaks https to its registry, and a proxy serves that from its cache with a certificate authority of its own only: make one with millrace ca create, or give the certificate of the gateway's with --ca FILE`,
    )
  );
}

/** Variables for a tool whose proxy is in the environment alone. */
export function proxyVariables({ gateway }: Ask): Readonly<Record<string, string>> {
  return { HTTP_PROXY: gateway.proxyUrl, HTTPS_PROXY: gateway.proxyUrl };
}

/** Host and port of the proxy, for tools that speak plain HTTP to it and nothing else. */
export function plainProxy(
  { gateway }: Ask,
  tool: string,
): { readonly host: string; readonly port: string } {
  const { protocol, hostname, port } = new URL(gateway.proxyUrl);
  if (protocol !== 'http:') {
    refuse(
      `${tool} speaks plain HTTP to a proxy: give the address of the gateway that has no TLS, --url http://…`,
    );
  }
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port || '80' };
}

/** Refuses the scope `project` for a tool that has no files there. */
export function onlyForUser({ scope }: Ask, tool: string, instead: string): void {
  if (scope === 'project') {
    refuse(`${tool} has no configuration of a project that could hold this: ${instead}`);
  }
}

/**
 * A note where a tool has asked another registry than the one that the gateway's mount fetches from:
 * what only that one has would be missing.
 */
export function replacedNote(
  { gateway }: Ask,
  ecosystem: EcosystemId,
  previous: string | undefined,
): readonly string[] {
  const upstreams = gateway.mounts.find((each) => each.ecosystem === ecosystem)?.upstreams ?? [];
  const plain = (url: string): string => url.replace(/\/+$/, '').replace(/^http:/, 'https:');
  if (previous === undefined || !URL.canParse(previous)) return [];
  const isKnown = [...upstreams, gateway.url].some((url) => plain(previous).startsWith(plain(url)));
  if (isKnown) return [];
  const shown = new URL(previous);
  [shown.username, shown.password] = ['', ''];
  return [
    `it has asked ${shown.href} until now, and the gateway fetches from ${upstreams.join(', ')}: if that is not the same, put the first into \`mounts\` of the gateway, or use --proxy`,
  ];
}

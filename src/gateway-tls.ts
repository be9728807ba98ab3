import { readFile } from 'node:fs/promises';
import type { Config } from './config/config.ts';
import { LookupCounter } from './core/cache-lookups.ts';
import type { Logger } from './core/logger.ts';
import { type HostPattern, matchesHost } from './core/network.ts';
import { interceptedHosts, ownHosts } from './gateway-hosts.ts';
import type { SecureConnections, Terminator } from './surfaces/secure-connections.ts';
import type { Authority, HostCredentials } from './tls/authority.ts';
import { readAuthority } from './tls/authority-files.ts';
import { HostCertificates } from './tls/host-certificates.ts';

/** Makes it, or has it. */
type Get = () => Promise<Terminator>;

export interface GatewayTlsOptions {
  readonly connections: Pick<SecureConnections, 'terminator'>;
  readonly now: () => number;
  readonly log: Logger;
}

/** What one configuration and the files of its moment come to. */
interface Material {
  readonly certificates: HostCertificates<Terminator> | undefined;
  readonly intercepted: readonly HostPattern[];
  readonly permits: (host: string) => boolean;
  /** Of the HTTPS listener, where there is one. */
  readonly own: Get | undefined;
}

/** The certificates that the gateway shows to clients. */
export class GatewayTls {
  /** Over all reloads. */
  readonly lookups: LookupCounter;
  readonly #options: GatewayTlsOptions;
  #material: Material;

  private constructor(material: Material, options: GatewayTlsOptions, lookups: LookupCounter) {
    this.lookups = lookups;
    this.#material = material;
    this.#options = options;
  }

  /** Rejects where the HTTPS listener has no certificate. */
  static async open(config: Config, options: GatewayTlsOptions): Promise<GatewayTls> {
    let authority: Authority | undefined;
    try {
      authority = await readAuthority(config.data);
    } catch (err) {
      options.log.error(
        { err },
        'the certificate authority cannot be used: no tunnel is intercepted',
      );
    }
    const lookups = new LookupCounter('certificates');
    const material = await readMaterial(config, authority, options, lookups);
    return new GatewayTls(material, options, lookups);
  }

  /** Reads the files again; what cannot be used leaves all as it was, and is said. */
  async reload(config: Config): Promise<void> {
    try {
      const authority = await readAuthority(config.data);
      this.#material = await readMaterial(config, authority, this.#options, this.lookups);
    } catch (err) {
      this.#options.log.error({ err }, 'certificates not reloaded');
    }
  }

  /** What to be for a client that means this host (as URLs have it); undefined: not to intercept. */
  terminatorFor({ hostname, port }: { hostname: string; port: number }): Get | undefined {
    const { certificates, intercepted, permits } = this.#material;
    if (certificates === undefined || !matchesHost(intercepted, hostname, port)) return undefined;
    const host = hostname.replace(/^\[|\]$/g, '');
    return permits(host) ? () => certificates.for([host]) : undefined;
  }

  /** What the HTTPS listener is. */
  get own(): Get | undefined {
    return this.#material.own;
  }
}

async function readMaterial(
  config: Config,
  authority: Authority | undefined,
  { connections, now, log }: GatewayTlsOptions,
  lookups: LookupCounter,
): Promise<Material> {
  const make = ({ chain, key }: HostCredentials): Terminator =>
    connections.terminator({ cert: chain, key });
  const certificates = authority && new HostCertificates({ authority, make, now, lookups });
  const intercepted = interceptedHosts(config);
  const permits = (host: string): boolean => authority?.permits(host) === true;
  const foreign = intercepted.flatMap((pattern) =>
    pattern.kind === 'name' && !permits(pattern.name) ? [pattern.name] : [],
  );
  if (authority !== undefined && foreign.length > 0) {
    const remedy = '`millrace ca rotate` makes an authority for the hosts of the configuration';
    log.warn({ hosts: foreign, remedy }, 'hosts not intercepted: the authority is not for them');
  }
  const own = await ownTerminator(config, connections, certificates, permits);
  return { certificates, intercepted, permits, own };
}

async function ownTerminator(
  config: Config,
  connections: GatewayTlsOptions['connections'],
  certificates: HostCertificates<Terminator> | undefined,
  permits: (host: string) => boolean,
): Promise<Get | undefined> {
  const { port, certificate, key } = config.listen.tls;
  if (port === undefined) return undefined;
  if (certificate !== undefined && key !== undefined) {
    const [cert, keyText] = await Promise.all([
      readFile(certificate, 'utf8'),
      readFile(key, 'utf8'),
    ]);
    const terminator = connections.terminator({ cert, key: keyText });
    return () => Promise.resolve(terminator);
  }
  if (certificates === undefined) {
    throw new TypeError(
      'the HTTPS listener has no certificate: set `listen.tls.certificate` and `listen.tls.key`, or run `millrace ca create`',
    );
  }
  const hosts = ownHosts(config).filter(permits);
  return () => certificates.for(hosts);
}

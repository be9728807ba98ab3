import type { UpstreamTarget } from '../core/artifact-request.ts';
import type { EcosystemId } from '../core/ecosystem-ids.ts';
import type { LogLevel } from '../core/logger.ts';

/** An effective configuration: checked, defaults filled in. Sizes in bytes, durations in milliseconds. */
export interface Config {
  readonly listen: { readonly host: string; readonly port: number };
  readonly admin: {
    readonly host: string;
    readonly port: number;
    /** Wanted as a bearer token on `/api`, when set. */
    readonly token: string | undefined;
  };
  /** Canonical, without a trailing slash; it may have a path. */
  readonly publicUrl: string | undefined;
  /** Addresses and CIDR networks. */
  readonly trustedProxies: readonly string[];
  /** Absolute path. */
  readonly data: string;
  readonly memory: number;
  readonly disk: number;
  readonly logLevel: LogLevel;
  readonly logFormat: 'auto' | 'json' | 'pretty';
  readonly negativeTtl: number;
  readonly staleIfError: number;
  readonly timeouts: {
    readonly connect: number;
    readonly firstByte: number;
    readonly idle: number;
  };
  readonly shutdownGrace: number;
  /** Host patterns, as `core/network.ts` reads them. */
  readonly forwardProxy: { readonly allow: readonly string[] };
  readonly mounts: readonly MountConfig[];
  /** The public registry that npm is built for, whatever this host's npm is set to; no trailing slash. */
  readonly npmCanonicalRegistry: string;
  /** Hosts of the archives in this host's apt sources, with a port where it is not the default one. */
  readonly aptHosts: readonly string[];
}

/** One mount, with the global settings filled in where it has none of its own. */
export interface MountConfig {
  /** Begins with `/`; no trailing slash unless it is `/`. Unique. */
  readonly path: string;
  readonly ecosystem: EcosystemId;
  /** At least one. */
  readonly upstreams: readonly UpstreamTarget[];
  readonly negativeTtl: number;
  readonly staleIfError: number;
  /** For a 200 without a freshness of its own; undefined: by heuristics. */
  readonly defaultTtl: number | undefined;
  readonly redirects: 'follow' | 'forward';
  /** Host names in lower case, with a port where it is not the default one. */
  readonly hosts: readonly string[];
  /** `auto` for other ecosystems than npm. */
  readonly tarballs: 'auto' | 'canonical' | 'rewrite';
}

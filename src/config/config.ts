import type { UpstreamTarget } from '../core/artifact-request.ts';
import type { EcosystemId } from '../core/ecosystem-ids.ts';
import type { LogLevel } from '../core/logger.ts';
import type { MirrorTrust } from '../core/mirror-figures.ts';
import type { SetCookieRule } from '../core/store-rules.ts';
import type { EcosystemLimit } from './mirror-types.ts';

/** What of HTTP caching is the operator's to decide; a mount may have its own. */
export interface CachingConfig {
  /** For a 404 or 410 that does not say itself. */
  readonly negativeTtl: number;
  readonly staleIfError: number;
  readonly staleOnDisconnect: boolean;
  /** Field names in lower case, by precedence. */
  readonly cacheControlFields: readonly string[];
  readonly storeSetCookie: SetCookieRule;
  readonly storeServerErrors: boolean;
}

/** An effective configuration: checked, defaults filled in. Sizes in bytes, durations in milliseconds. */
export interface Config extends CachingConfig {
  readonly listen: {
    readonly host: string;
    readonly port: number;
    /** The HTTPS listener. */
    readonly tls: {
      /** Undefined: there is none. */
      readonly port: number | undefined;
      /** Absolute paths of PEM files, both or none. */
      readonly certificate: string | undefined;
      readonly key: string | undefined;
      /** Hosts that the authority's certificate is for besides those that are known. */
      readonly names: readonly string[];
    };
  };
  readonly admin: {
    readonly host: string;
    readonly port: number;
    /** Wanted as a bearer token on `/api`, when set. */
    readonly token: string | undefined;
    /** `/debug` is served, to loopback. */
    readonly debug: boolean;
  };
  /** Canonical, without a trailing slash; it may have a path. */
  readonly publicUrl: string | undefined;
  /** Addresses and CIDR networks. */
  readonly trustedProxies: readonly string[];
  /** Absolute path. */
  readonly data: string;
  readonly memory: number;
  /** Of the process; undefined: the container's, or three quarters of the machine's memory. */
  readonly memoryLimit: number | undefined;
  readonly disk: number;
  readonly logLevel: LogLevel;
  /** Whether each request has a line; a failed one always has. */
  readonly accessLog: boolean;
  readonly logFormat: 'auto' | 'json' | 'pretty';
  /** Whether repeated hits are answered before Node's HTTP server reads them. */
  readonly fastPath: boolean;
  /** Wanted in `Millrace-Debug`; undefined: nobody gets the key. */
  readonly debugToken: string | undefined;
  readonly timeouts: {
    readonly connect: number;
    readonly firstByte: number;
    readonly idle: number;
    readonly floor: number;
  };
  readonly upstreamHttp2: boolean;
  readonly region: string | undefined;
  readonly limits: {
    readonly concurrency: number | undefined;
    readonly ecosystems: readonly EcosystemLimit[];
    /** For one body. */
    readonly connections: number;
    /** Bytes per second. */
    readonly bandwidth: number | undefined;
  };
  readonly mirrorPresets: readonly string[];
  /** What the presets say. */
  readonly presetMirrors: readonly MirrorRuleConfig[];
  readonly mirrors: readonly MirrorRuleConfig[];
  readonly shutdownGrace: number;
  readonly forwardProxy: {
    /** Host patterns, as `core/network.ts` reads them. */
    readonly allow: readonly string[];
    readonly tunnelPorts: readonly number[];
    /** Host patterns; undefined: those of the mounts and ecosystems. */
    readonly intercept: readonly string[] | undefined;
    /** Between two bytes either way. */
    readonly tunnelIdle: number;
  };
  readonly mounts: readonly MountConfig[];
  /** The public registry that npm is built for, whatever this host's npm is set to; no trailing slash. */
  readonly npmCanonicalRegistry: string;
  /** Hosts of the archives in this host's apt sources, with a port where it is not the default one. */
  readonly aptHosts: readonly string[];
}

/** One mount, with the global settings filled in where it has none of its own. */
export interface MountConfig extends CachingConfig {
  /** Begins with `/`; no trailing slash unless it is `/`. Unique. */
  readonly path: string;
  readonly ecosystem: EcosystemId;
  /** At least one. */
  readonly upstreams: readonly UpstreamTarget[];
  /** For a 200 without a freshness of its own; undefined: by heuristics. */
  readonly defaultTtl: number | undefined;
  readonly redirects: 'follow' | 'forward';
  /** Whether documents that change come from the upstreams in their order, or from the fastest. */
  readonly indexes: 'ordered' | 'equal';
  /** Host names in lower case, with a port where it is not the default one. */
  readonly hosts: readonly string[];
  /** `auto` for other ecosystems than npm. */
  readonly tarballs: 'auto' | 'canonical' | 'rewrite';
}

/** A rule that names mirrors: its pattern and templates compile, and the captures are there. */
export interface MirrorRuleConfig {
  readonly match: string;
  readonly to: readonly {
    readonly url: string;
    readonly concurrency?: number | undefined;
    readonly bandwidth?: number | undefined;
    readonly region?: string | undefined;
    readonly trust?: MirrorTrust | undefined;
  }[];
}

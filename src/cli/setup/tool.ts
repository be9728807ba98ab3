import type { EcosystemId } from '../../core/ecosystem-ids.ts';

/** By the tool's own setting for its registry, or by that for its proxy. */
export type SetupMode = 'registry' | 'proxy';

/** For the user (or the system, for tools that have nothing less), or for the project in a folder. */
export type SetupScope = 'user' | 'project';

/** Where a tool's files are, and what they hold now. */
export interface Place {
  readonly home: string;
  /** The folder of the project. */
  readonly folder: string;
  /** Where the system begins: `/`. */
  readonly root: string;
  /** As Node names it: `linux`, `darwin`. */
  readonly platform: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of a file, undefined where there is none. Throws where it cannot be read or is no text. */
  read(path: string): string | undefined;
  /** Names in a folder, none where there is none. */
  list(folder: string): readonly string[];
}

export interface GatewayMount {
  readonly path: string;
  readonly ecosystem: string;
  /** URLs without a trailing slash. */
  readonly upstreams: readonly string[];
}

/** A gateway as tools are to see it. */
export interface GatewayPlace {
  /** Without a trailing slash; it may have a path. */
  readonly url: string;
  /** For `http_proxy`: an origin. */
  readonly proxyUrl: string;
  readonly mounts: readonly GatewayMount[];
}

/** The certificates that a tool is to trust, in the forms that tools want. */
export interface Trust {
  /** The gateway's authority alone, PEM. */
  readonly authority: string;
  /** The public authorities and that of the gateway, PEM: many tools know one list only. */
  readonly bundle: () => string;
  /** The same as a Java keystore. */
  readonly keystore: () => Uint8Array;
}

export interface Ask {
  readonly place: Place;
  readonly gateway: GatewayPlace;
  readonly mode: SetupMode;
  readonly scope: SetupScope;
  /** What to trust, where the gateway shows certificates of its own authority. */
  readonly trust?: Trust;
}

export interface FileEdit {
  readonly path: string;
  /** All of the file. */
  readonly content: string | Uint8Array;
  /** Of a file that is made for the tool and has no settings: what it is, for people. */
  readonly about?: string;
}

/** What would point a tool at the gateway. */
export interface Plan {
  readonly files: readonly FileEdit[];
  /** Variables for what the tool has no setting for. */
  readonly env?: Readonly<Record<string, string>>;
  /** What there is to know or do besides, a sentence each. */
  readonly notes?: readonly string[];
  /** The file whose certificates the tool then trusts; without it those of the system. */
  readonly trustFile?: string;
  /** The tool trusts those of the system besides. */
  readonly trustsSystem?: true;
}

/** What is known of one tool. Pure: it reads files through the `Place` alone. */
export interface Tool {
  readonly id: string;
  /** Programs that show that the tool is there. */
  readonly programs: readonly string[];
  readonly ecosystem: EcosystemId;
  /** Without a flag; otherwise `registry`. */
  readonly defaultMode?: SetupMode;
  /** Variables that go before the tool's files. */
  readonly overrides: Readonly<Record<SetupMode, readonly string[]>>;
  /** Throws a TypeError that says what is right where the tool has no such mode or scope. */
  plan(ask: Ask): Plan;
}

/** Refuses what was asked, with what would be right. */
export function refuse(sentence: string): never {
  throw new TypeError(sentence);
}

/** The URL of the first mount of an ecosystem, without a trailing slash. */
export function mountUrl(gateway: GatewayPlace, ecosystem: EcosystemId): string {
  const mount = gateway.mounts.find((each) => each.ecosystem === ecosystem);
  if (mount === undefined) {
    refuse(
      `the gateway has no mount for ${ecosystem}: add one to \`mounts\` in its configuration (docs/ecosystems.md)`,
    );
  }
  return urlOf(gateway, mount);
}

/** The URL of a mount, without a trailing slash. */
export function urlOf({ url }: GatewayPlace, { path }: GatewayMount): string {
  return path === '/' ? url : `${url}${path}`;
}

/** Whether a tool may think this URL insecure: plain HTTP to another machine. */
export function isInsecure(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !isLoopbackName(hostname);
}

function isLoopbackName(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.');
}

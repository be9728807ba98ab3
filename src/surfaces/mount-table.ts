import type { UpstreamTarget } from '../core/artifact-request.ts';
import type { Ecosystem } from '../ecosystems/ecosystem.ts';
import type { PolicyOptions } from '../policy/policy-options.ts';

/** What of a policy a mount decides; the ecosystem decides the rest for each request. */
export type MountPolicy = Omit<PolicyOptions, 'freshness'>;

/** A path of the gateway that stands for a set of equivalent upstreams. */
export interface Mount {
  /** Begins with `/`; no trailing slash unless it is `/`. */
  readonly path: string;
  readonly ecosystem: Ecosystem;
  /** At least one; the first one's URLs are the keys. */
  readonly upstreams: readonly [UpstreamTarget, ...UpstreamTarget[]];
  readonly policy: MountPolicy;
  readonly redirects: 'follow' | 'forward';
  /** Other hosts (with a port where it is not the scheme's) that the operator named for it. */
  readonly hosts: readonly string[];
  /** Whether documents that change come from the upstreams in their order, or from the fastest. */
  readonly indexes: 'ordered' | 'equal';
}

/** A mount and the rest of the path: with query, empty or beginning with `/` or `?`. */
export interface MountMatch {
  readonly mount: Mount;
  readonly rest: string;
}

/** The mounts by their paths and by their upstreams' URLs. */
export class MountTable {
  readonly mounts: readonly Mount[];
  /** Longest first: the longest match wins. */
  readonly #byPath: readonly { prefix: string; mount: Mount }[];
  readonly #byUrl: readonly { prefix: string; mount: Mount }[];

  constructor(mounts: readonly Mount[]) {
    this.mounts = mounts;
    this.#byPath = longestFirst(
      mounts.map((mount) => ({ prefix: mount.path === '/' ? '' : mount.path, mount })),
    );
    this.#byUrl = longestFirst(
      mounts.flatMap((mount) => ownUrls(mount).map((prefix) => ({ prefix, mount }))),
    );
  }

  /** The mount of an origin-form target. */
  match(target: string): MountMatch | undefined {
    const addressed = this.#addressed(target);
    if (addressed !== undefined) return addressed.match;
    return find(this.#byPath, target) ?? this.#claimed(target);
  }

  /** The mount that has this URL among its upstreams', with the rest below that upstream. */
  matchUrl(url: string): MountMatch | undefined {
    return find(this.#byUrl, url);
  }

  /**
   * A target that names its upstream: the mount that has this one, whatever the path says besides, or
   * none. Another upstream's files under the name would be somebody else's.
   */
  #addressed(target: string): { readonly match: MountMatch | undefined } | undefined {
    if (!target.includes('ns=')) return undefined;
    const by = this.mounts.find(({ ecosystem }) => ecosystem.addressed?.(target) !== undefined);
    const addressed = by?.ecosystem.addressed?.(target);
    if (by === undefined || addressed === undefined) return undefined;
    const { name, root, target: plain } = addressed;
    const isNamed = ({ ecosystem, path, upstreams }: Mount): boolean =>
      name !== '' &&
      ecosystem.id === by.ecosystem.id &&
      (path.endsWith(`/${name}`) ||
        upstreams.some(({ url }) => ecosystem.namesOf?.(url).includes(name)));
    // The mount that the path leads to anyway, unless it is another upstream's.
    const here = find(this.#byPath, plain);
    if (here && isNamed(here.mount)) return { match: here };
    if (here && here.mount.path !== root && here.mount.ecosystem.id === by.ecosystem.id) {
      return { match: undefined };
    }
    const mount = this.mounts.find(isNamed);
    const rest = restBelow(root, plain);
    return { match: mount && rest !== undefined ? { mount, rest } : undefined };
  }

  /** Some clients keep a registry's host and lose its path: their mount takes what is clearly its own. */
  #claimed(target: string): MountMatch | undefined {
    const mount = this.mounts.find(({ ecosystem }) => ecosystem.claims?.(target));
    return mount && { mount, rest: target };
  }
}

/** Mirrors' URLs mean the same as the first one's; a second repository's path means another file. */
function ownUrls({ ecosystem, upstreams }: Mount): readonly string[] {
  const [first] = upstreams;
  const all = ecosystem.upstreams === 'repositories' ? [first] : upstreams;
  return all.map(({ url }) => url);
}

function longestFirst<T extends { prefix: string }>(entries: T[]): T[] {
  return entries.sort((a, b) => b.prefix.length - a.prefix.length);
}

function find(
  entries: readonly { prefix: string; mount: Mount }[],
  text: string,
): MountMatch | undefined {
  for (const { prefix, mount } of entries) {
    const rest = restBelow(prefix, text);
    if (rest !== undefined) return { mount, rest };
  }
  return undefined;
}

/** What is left of a path or URL below a prefix that ends at a segment; undefined when not below. */
export function restBelow(prefix: string, text: string): string | undefined {
  if (!text.startsWith(prefix)) return undefined;
  const rest = text.slice(prefix.length);
  return rest === '' || rest.startsWith('/') || rest.startsWith('?') ? rest : undefined;
}

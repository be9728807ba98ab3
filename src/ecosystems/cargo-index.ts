import type { DigestFinder, Rewrite, Rewriter } from '../core/classification.ts';
import { type Digest, digestFromHex } from '../core/digest.ts';
import type { CrateVersion } from './cargo-path.ts';
import { type FilePlaces, gatewayUrl } from './foreign-file.ts';
import { LineReader } from './line-reader.ts';

/** A configuration larger than this is no configuration, and goes through as it is. */
const maxConfigBytes = 64 * 1024;
/** One version's line with all its features; a longer one is passed over. */
const maxLineBytes = 1024 * 1024;

/**
 * Points an index's `config.json` at the gateway: `dl` where it leads to an allowed host, `api` where
 * it is below the index. With `authorized` no client needs a token of its own any more. All other
 * fields stay. The Cargo Book, "Index Configuration".
 */
export function configRewrite(places: FilePlaces, authorized: boolean): Rewrite {
  const { upstreamUrl, publicBase, hosts } = places;
  return {
    id: ['cargo-config-1', upstreamUrl, publicBase, String(authorized), ...hosts].join(' '),
    create: () => new ConfigRewriter(places, authorized),
  };
}

class ConfigRewriter implements Rewriter {
  readonly #places: FilePlaces;
  readonly #authorized: boolean;
  #held: Buffer | undefined = Buffer.alloc(0);

  constructor(places: FilePlaces, authorized: boolean) {
    this.#places = places;
    this.#authorized = authorized;
  }

  push(chunk: Uint8Array): readonly Uint8Array[] {
    if (!this.#held) return [chunk];
    const held = Buffer.concat([this.#held, chunk]);
    this.#held = held.length > maxConfigBytes ? undefined : held;
    return this.#held ? [] : [held];
  }

  end(): readonly Uint8Array[] {
    if (!this.#held) return [];
    const config = parsed(this.#held.toString('utf8'));
    if (config === undefined) return this.#held.length > 0 ? [this.#held] : [];
    const { dl, api } = config;
    const changed: Record<string, unknown> = { ...config };
    if (typeof dl === 'string') changed.dl = this.#downloads(dl) ?? dl;
    if (typeof api === 'string') changed.api = this.#below(api) ?? api;
    if (this.#authorized) delete changed['auth-required'];
    return [Buffer.from(JSON.stringify(changed))];
  }

  /** A template, or a URL to which Cargo appends name, version and `download`. */
  #downloads(dl: string): string | undefined {
    // The markers are no part of a host that could be allowed.
    return gatewayUrl(dl, { ...this.#places, isFile: () => true });
  }

  #below(api: string): string | undefined {
    return gatewayUrl(`${api.replace(/\/$/, '')}/`, {
      ...this.#places,
      hosts: [],
      isFile: () => false,
    })?.replace(/\/$/, '');
  }
}

/** Finds a version's `cksum` in the index's file of its crate: a JSON object a line. */
export class ChecksumFinder implements DigestFinder {
  readonly #lines: LineReader;
  #found: Digest | undefined;

  constructor({ version }: CrateVersion) {
    this.#lines = new LineReader(maxLineBytes, (line) => {
      // Only the one line is worth parsing.
      if (!line.includes(`"${version}"`)) return false;
      const entry = parsed(line);
      if (entry?.vers !== version) return false;
      if (typeof entry.cksum === 'string') this.#found = digestFromHex('sha256', entry.cksum);
      return true;
    });
  }

  push(chunk: Uint8Array): boolean {
    return this.#lines.push(chunk);
  }

  digest(): Digest | undefined {
    this.#lines.end();
    return this.#found;
  }
}

/** A JSON object; undefined for everything else. */
function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

import type { DigestFinder, Rewrite, Rewriter } from '../core/classification.ts';
import { type Digest, digestFromHex } from '../core/digest.ts';
import type { CrateVersion } from './cargo-path.ts';
import { type FilePlaces, gatewayUrl } from './foreign-file.ts';

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
  readonly #version: string;
  /** The line that has begun; undefined: it is too long to be read. */
  #line: Buffer[] | undefined = [];
  #bytes = 0;
  #found: Digest | undefined;
  #over = false;

  constructor({ version }: CrateVersion) {
    this.#version = version;
  }

  push(chunk: Uint8Array): boolean {
    let start = 0;
    while (!this.#over && start < chunk.length) {
      const end = chunk.indexOf(0x0a, start);
      this.#hold(chunk.subarray(start, end === -1 ? chunk.length : end));
      if (end === -1) break;
      this.#read();
      start = end + 1;
    }
    return this.#over;
  }

  digest(): Digest | undefined {
    // The last line need not end.
    if (!this.#over) this.#read();
    return this.#found;
  }

  #hold(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (this.#bytes > maxLineBytes) this.#line = undefined;
    // The caller's chunk is not ours to keep.
    else this.#line?.push(Buffer.from(bytes));
  }

  #read(): void {
    const text = this.#line ? Buffer.concat(this.#line).toString('utf8') : '';
    this.#line = [];
    this.#bytes = 0;
    // Only the one line is worth parsing.
    if (!text.includes(`"${this.#version}"`)) return;
    const entry = parsed(text);
    if (entry?.vers !== this.#version) return;
    this.#over = true;
    if (typeof entry.cksum === 'string') this.#found = digestFromHex('sha256', entry.cksum);
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

import { createSecureContext, type SecureContext } from 'node:tls';
import { LRUCache } from 'lru-cache';
import { GatewayError } from '../core/errors.ts';
import type { Authority } from './authority.ts';

export interface HostContextsOptions {
  readonly authority: Authority;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Sets of hosts that are kept. */
  readonly max?: number;
}

interface Kept {
  readonly context: SecureContext;
  /** Milliseconds since the epoch: half of its life is over. */
  readonly renewAt: number;
}

/** The certificates that an authority signs for hosts, each made when it is first asked for. */
export class HostContexts {
  readonly #options: HostContextsOptions;
  /** Promises, so that a herd asks for one certificate once. */
  readonly #kept: LRUCache<string, Promise<Kept>>;

  constructor(options: HostContextsOptions) {
    this.#options = options;
    this.#kept = new LRUCache({ max: options.max ?? 1000 });
  }

  /** For these hosts together, IPv6 without brackets; rejects with a GatewayError. */
  async for(hosts: readonly string[]): Promise<SecureContext> {
    const name = hosts.join(' ');
    const known = this.#kept.get(name);
    if (known !== undefined) {
      const { context, renewAt } = await known;
      if (this.#options.now() < renewAt) return context;
      // Somebody else may have seen it first.
      if (this.#kept.peek(name) !== known) return this.for(hosts);
    }
    const making = this.#make(hosts);
    this.#kept.set(name, making);
    try {
      return (await making).context;
    } catch (error) {
      if (this.#kept.peek(name) === making) this.#kept.delete(name);
      throw error;
    }
  }

  async #make(hosts: readonly string[]): Promise<Kept> {
    const { authority, now } = this.#options;
    const at = now();
    if (at >= authority.notAfter) {
      throw new GatewayError(
        'proxy_configuration_error',
        'the certificate authority has expired: `millrace ca rotate` makes a new one',
        { origin: 'gateway' },
      );
    }
    const { chain, key, notAfter } = await authority.certify(hosts, at);
    return {
      context: createSecureContext({ cert: chain, key }),
      renewAt: at + (notAfter - at) / 2,
    };
  }
}

import { LRUCache } from 'lru-cache';
import type { LookupCounter } from '../core/cache-lookups.ts';
import { GatewayError } from '../core/errors.ts';
import type { Authority, HostCredentials } from './authority.ts';

export interface HostCertificatesOptions<T> {
  readonly authority: Authority;
  /** What is made of a certificate, once: it costs more than the certificate's look-up. */
  readonly make: (credentials: HostCredentials) => T;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly lookups: LookupCounter;
  /** Sets of hosts that are kept. */
  readonly max?: number;
}

interface Kept<T> {
  readonly made: T;
  /** Milliseconds since the epoch: half of its life is over. */
  readonly renewAt: number;
}

/** The certificates that an authority signs for hosts, each when it is first asked for. */
export class HostCertificates<T> {
  readonly #options: HostCertificatesOptions<T>;
  /** Promises, so that a herd asks for one certificate once. */
  readonly #kept: LRUCache<string, Promise<Kept<T>>>;

  constructor(options: HostCertificatesOptions<T>) {
    this.#options = options;
    this.#kept = new LRUCache({ max: options.max ?? 1000 });
  }

  /** For these hosts together, IPv6 without brackets; rejects with a GatewayError. */
  async for(hosts: readonly string[]): Promise<T> {
    const name = hosts.join(' ');
    const known = this.#kept.get(name);
    if (known !== undefined) {
      const { made, renewAt } = await known;
      if (this.#options.now() < renewAt) {
        this.#options.lookups.count(true);
        return made;
      }
      // Somebody else may have seen it first.
      if (this.#kept.peek(name) !== known) return this.for(hosts);
    }
    this.#options.lookups.count(false);
    const making = this.#make(hosts);
    this.#kept.set(name, making);
    try {
      return (await making).made;
    } catch (error) {
      if (this.#kept.peek(name) === making) this.#kept.delete(name);
      throw error;
    }
  }

  async #make(hosts: readonly string[]): Promise<Kept<T>> {
    const { authority, make, now } = this.#options;
    const at = now();
    if (at >= authority.notAfter) {
      throw new GatewayError(
        'proxy_configuration_error',
        'the certificate authority has expired: `millrace ca rotate` makes a new one',
        { origin: 'gateway' },
      );
    }
    const credentials = await authority.certify(hosts, at);
    return { made: make(credentials), renewAt: at + (credentials.notAfter - at) / 2 };
  }
}

import { remember } from './remember.ts';

/** A version that a client was given: the SHA-256 of its bytes, once they are stored; undefined: not. */
export type Version = Promise<string | undefined>;

/** Who was given something. */
export interface Recipient {
  /** Undefined where it is not the client's own. */
  readonly connection: object | undefined;
  /** What is known of where it is. */
  readonly address: string;
}

/** What a client was given, and when. */
export interface Given {
  readonly url: string;
  readonly version: Version;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Documents remembered for one connection at most. */
const mostDocuments = 64;
/** Documents of addresses remembered at most. */
const atMost = 10_000;
/** For how long an address is taken for the same client: long enough for an update. */
const addressMs = 10 * 60_000;

/**
 * Which version of a document each client was given last: by its connection, or, on another one, by
 * its address. Clients behind one address that use several connections at a time are taken for one.
 */
export class GivenVersions {
  readonly #byConnection = new WeakMap<object, Map<string, Given>>();
  readonly #byAddress = new Map<string, Given>();

  note({ connection, address }: Recipient, url: string, version: Version, now: number): void {
    const given = { url, version, at: now };
    if (connection) {
      const documents = this.#byConnection.get(connection) ?? new Map<string, Given>();
      this.#byConnection.set(connection, documents);
      remember(documents, url, given, mostDocuments);
    }
    remember(this.#byAddress, `${address} ${url}`, given, atMost);
  }

  /** Which of these documents the client was given, the last one first. */
  of({ connection, address }: Recipient, urls: readonly string[], now: number): readonly Given[] {
    const documents = connection && this.#byConnection.get(connection);
    const byConnection = newestFirst(urls.map((url) => documents?.get(url)));
    if (byConnection.length > 0) return byConnection;
    const byAddress = newestFirst(urls.map((url) => this.#byAddress.get(`${address} ${url}`)));
    return byAddress.filter(({ at }) => Math.abs(now - at) < addressMs);
  }
}

function newestFirst(given: readonly (Given | undefined)[]): Given[] {
  return given.filter((each) => each !== undefined).sort((a, b) => b.at - a.at);
}

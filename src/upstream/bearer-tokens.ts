import { GatewayError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Challenge, Token, TokenRules } from '../core/token-rules.ts';
import { discard } from './discard.ts';
import type { Transport, UpstreamResponse } from './upstream.ts';

export interface BearerTokensOptions {
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Tokens kept at most; the one that was used the longest ago goes. */
const atMost = 1_000;
/** An answer with a token is no longer than this. */
const maxAnswerBytes = 256 * 1024;
/** A token is taken for ended so long before its end, or a tenth of its time where that is less. */
const marginMs = 10_000;

interface Kept {
  readonly value: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** The tokens at hand, and the way to new ones: one request at a time for each. */
export class BearerTokens {
  readonly #transport: Transport;
  readonly #options: BearerTokensOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #coming = new Map<string, Promise<string | undefined>>();

  constructor(transport: Transport, options: BearerTokensOptions) {
    this.#transport = transport;
    this.#options = options;
  }

  /** The token that is kept under the key, while it is good. */
  known(key: string): string | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    this.#kept.delete(key);
    if (kept.until <= this.#options.now()) return undefined;
    this.#kept.set(key, kept);
    return kept.value;
  }

  /**
   * Asks for a token, to be kept under the key. Undefined: there is none to be had, and the log says
   * why. Rejects with a GatewayError where the token's host gives no answer, or one of 429 or 5xx.
   */
  fetch(
    key: string,
    challenge: Extract<Challenge, { kind: 'token' }>,
    by: { readonly rules: TokenRules; readonly authorization?: string },
  ): Promise<string | undefined> {
    const flight = `${key} ${challenge.url}`;
    const coming = this.#coming.get(flight);
    if (coming !== undefined) return coming;
    const fresh = this.#ask(key, challenge, by).finally(() => this.#coming.delete(flight));
    this.#coming.set(flight, fresh);
    return fresh;
  }

  async #ask(
    key: string,
    { url, trusted }: Extract<Challenge, { kind: 'token' }>,
    { rules, authorization }: { readonly rules: TokenRules; readonly authorization?: string },
  ): Promise<string | undefined> {
    const { log, now } = this.#options;
    this.#kept.delete(key);
    const headers = ['Accept', 'application/json', 'Accept-Encoding', 'identity'];
    if (authorization !== undefined) headers.push('Authorization', authorization);
    const askedAt = now();
    const response = await this.#transport.send({ method: 'GET', url, headers, trusted });
    const { status } = response;
    if (status !== 200) {
      discard(response);
      if (status === 429 || status >= 500) throw unavailable(status);
      // Redirects are not followed: they would carry the credentials to where nobody allowed it.
      log.warn({ url, status }, 'the token service gives no token');
      return undefined;
    }
    const document = await textOf(response);
    const token = document === undefined ? undefined : rules.readToken(document);
    if (token === undefined) {
      log.warn({ url }, 'there is no token in the answer of the token service');
      return undefined;
    }
    this.#keep(key, token, askedAt);
    return token.value;
  }

  #keep(key: string, { value, lifetimeMs }: Token, askedAt: number): void {
    const until = askedAt + lifetimeMs - Math.min(marginMs, lifetimeMs / 10);
    this.#kept.set(key, { value, until });
    if (this.#kept.size <= atMost) return;
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest);
      break;
    }
  }
}

/** The body as text; undefined where it is longer than any with a token. */
function textOf(response: UpstreamResponse): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.consume({
      data(chunk) {
        bytes += chunk.length;
        if (bytes <= maxAnswerBytes) {
          chunks.push(Buffer.from(chunk));
          return true;
        }
        resolve(undefined);
        response.abort();
        return false;
      },
      end: () => resolve(Buffer.concat(chunks).toString()),
      error: reject,
    });
  });
}

function unavailable(status: number): GatewayError {
  return new GatewayError('destination_unavailable', `the token service answered ${status}`, {
    origin: 'upstream',
    retryable: true,
    receivedStatus: status,
  });
}

/** What a 401's `WWW-Authenticate` comes to. */
export type Challenge =
  /** A token is to be had by a GET of this URL; `trusted`: at a private address, too. */
  | { readonly kind: 'token'; readonly url: string; readonly trusted: boolean }
  /** It leads to where nobody allowed the gateway to ask. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** No token answers it. */
  | { readonly kind: 'other' };

export interface Token {
  /** What follows `Bearer `: visible ASCII. */
  readonly value: string;
  readonly lifetimeMs: number;
}

/** How the upstreams of one ecosystem hand out bearer tokens (RFC 6750): pure knowledge. */
export interface TokenRules {
  /** URLs of one origin and area share a token; undefined: the URL takes none. */
  areaOf(url: string): string | undefined;
  /** Reads the lines of `WWW-Authenticate` in a response from `url`. RFC 9110 section 11.6.1. */
  readChallenge(lines: readonly string[], url: string): Challenge;
  /** The token in what the token's URL answered with a 200; undefined: none is in it. */
  readToken(document: string): Token | undefined;
}

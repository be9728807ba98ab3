import { originOf } from '../core/canonical-url.ts';
import { GatewayError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { fieldLines, fieldValue, withoutFields } from '../core/raw-headers.ts';
import type { Challenge, TokenRules } from '../core/token-rules.ts';
import { BearerTokens } from './bearer-tokens.ts';
import { discard } from './discard.ts';
import type { Transport, UpstreamRequest, UpstreamResponse } from './upstream.ts';

/** An upstream that may want tokens. */
export interface TokenPlace {
  readonly rules: TokenRules;
  /** The gateway's own `Authorization` for it. */
  readonly authorization?: string;
}

export interface BearerTokenOptions {
  /** The upstream that a URL belongs to, where that hands out tokens. */
  readonly placeOf: (url: string) => TokenPlace | undefined;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const authorizationField: ReadonlySet<string> = new Set(['authorization']);

/**
 * Answers the challenges of upstreams that want a bearer token (RFC 6750): asks for one, anonymously
 * or with the gateway's own credentials, sends the request again, once, and keeps the token for its
 * origin and area. A request with a client's credentials goes as it is, and so does its answer.
 * Rejects with `http_request_denied` where a challenge leads to a host that is not allowed, and with
 * the failure of the token's host where that gives no answer.
 */
export function withBearerTokens(inner: Transport, options: BearerTokenOptions): Transport {
  const tokens = new BearerTokens(inner, options);
  return {
    close: () => inner.close(),
    send(request, signal) {
      const { method, url, headers, redirected = false } = request;
      const isRead = method === 'GET' || method === 'HEAD';
      const place = isRead && !redirected ? options.placeOf(url) : undefined;
      const area = place?.rules.areaOf(url);
      if (place === undefined || area === undefined) return inner.send(request, signal);
      const sent = fieldValue(headers, 'authorization');
      if (sent !== undefined && sent !== place.authorization) return inner.send(request, signal);
      return withToken(request, signal, place, area);
    },
  };

  async function withToken(
    request: UpstreamRequest,
    signal: AbortSignal | undefined,
    place: TokenPlace,
    area: string,
  ): Promise<UpstreamResponse> {
    const key = `${originOf(request.url)} ${area} ${place.authorization ?? ''}`;
    const known = tokens.known(key);
    const response = await inner.send(known ? authorized(request, known) : request, signal);
    if (response.status !== 401) return response;
    try {
      const token = await renewed(response, place, key, known);
      if (token === undefined) return response;
      discard(response);
      return await inner.send(authorized(request, token), signal);
    } catch (error) {
      response.abort();
      throw error;
    }
  }

  /** A token that has not been tried; undefined: the refusal stands. */
  async function renewed(
    { headers, url }: UpstreamResponse,
    { rules, authorization }: TokenPlace,
    key: string,
    tried: string | undefined,
  ): Promise<string | undefined> {
    const other = tokens.known(key);
    if (other !== tried && other !== undefined) return other;
    const challenge = rules.readChallenge(fieldLines(headers, 'www-authenticate'), url);
    switch (challenge.kind) {
      case 'token':
        // A token of the gateway's own that is no good: another one would be without its rights.
        if (authorization !== undefined && !/^basic /i.test(authorization)) return undefined;
        return tokens.fetch(key, challenge, {
          rules,
          ...(authorization !== undefined && { authorization }),
        });
      case 'refused':
        options.log.warn({ url, reason: challenge.reason }, 'no token is asked for');
        throw refusal(challenge);
      case 'other':
        return undefined;
    }
  }
}

function authorized(request: UpstreamRequest, token: string): UpstreamRequest {
  const headers = withoutFields(request.headers, authorizationField);
  return { ...request, headers: [...headers, 'Authorization', `Bearer ${token}`] };
}

function refusal({ reason }: Extract<Challenge, { kind: 'refused' }>): GatewayError {
  return new GatewayError('http_request_denied', reason, { origin: 'upstream', retryable: true });
}

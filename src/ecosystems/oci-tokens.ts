import { canonicalUrl, originOf, pathOf } from '../core/canonical-url.ts';
import type { Challenge, Token, TokenRules } from '../core/token-rules.ts';
import { authorityOf } from './foreign-file.ts';
import { parseOciPath } from './oci-path.ts';

/** Token services of registries whose own host is another one. */
const knownServices: Readonly<Record<string, string>> = {
  'registry-1.docker.io': 'auth.docker.io',
};

/** What a token is good for at the least, where its answer does not say. Distribution, "Token Authentication". */
const leastSeconds = 60;

/**
 * How registries hand out tokens. A token is asked of the registry's own host, of the service that is
 * known for it, and of `hosts`, and of no other: it may cost credentials.
 */
export function ociTokens(hosts: readonly string[]): TokenRules {
  return { areaOf, readChallenge, readToken };

  function readChallenge(lines: readonly string[], url: string): Challenge {
    const parameters = bearerParameters(lines);
    if (parameters === undefined) return { kind: 'other' };
    const realm = canonicalUrl(parameters.get('realm') ?? '');
    if (realm === undefined) return refused('whose realm is no http or https URL');
    if (url.startsWith('https:') && !realm.startsWith('https:')) {
      return refused('over http, although it speaks https itself');
    }
    const own = authorityOf(url);
    const service = authorityOf(realm);
    const trusted =
      (service === own && originOf(realm) === originOf(url)) || hosts.includes(service);
    if (!trusted && service !== own && knownServices[own] !== service) {
      return refused(
        `of ${service}, which is neither its own host nor among the hosts of its mount`,
      );
    }
    return { kind: 'token', url: tokenUrl(realm, parameters), trusted };
  }
}

/** A token is for one repository, or for what is of none. */
function areaOf(url: string): string | undefined {
  const path = parseOciPath(pathOf(url));
  switch (path.kind) {
    case 'blob':
    case 'manifest':
    case 'tag':
    case 'list':
      return path.name;
    case 'base':
    case 'catalog':
      return '';
    case 'ambiguous':
    case 'other':
      return undefined;
  }
}

function tokenUrl(realm: string, parameters: ReadonlyMap<string, string>): string {
  const query = new URLSearchParams();
  const service = parameters.get('service');
  if (service !== undefined) query.append('service', service);
  for (const scope of parameters.get('scope')?.split(/\s+/) ?? []) {
    if (scope !== '') query.append('scope', scope);
  }
  const text = query.toString();
  if (text === '') return realm;
  return `${realm}${realm.includes('?') ? '&' : '?'}${text}`;
}

function readToken(document: string): Token | undefined {
  const fields = parsed(document);
  if (typeof fields !== 'object' || fields === null) return undefined;
  const { token, access_token, expires_in } = fields as Readonly<Record<string, unknown>>;
  const value = [token, access_token].find((each) => typeof each === 'string' && each !== '');
  // It becomes a field's value.
  if (typeof value !== 'string' || !/^[!-~]+$/.test(value)) return undefined;
  const seconds = typeof expires_in === 'number' && expires_in > 0 ? expires_in : leastSeconds;
  return { value, lifetimeMs: seconds * 1000 };
}

function parsed(document: string): unknown {
  try {
    return JSON.parse(document);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A scheme, or a parameter with its value as a token or between quotes. RFC 9110 section 11.2. */
const element =
  /\s*,?\s*(?:([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|([\w!#$%&'*+.^`|~-]+))(?=[\s,]|$)/y;

/** The parameters of the first challenge of the scheme Bearer, names in lower case; undefined: there is none. */
function bearerParameters(lines: readonly string[]): ReadonlyMap<string, string> | undefined {
  for (const line of lines) {
    let parameters: Map<string, string> | undefined;
    element.lastIndex = 0;
    for (let match = element.exec(line); match !== null; match = element.exec(line)) {
      const [, name, quoted, plain, scheme] = match;
      if (scheme !== undefined) {
        if (parameters !== undefined) break;
        if (scheme.toLowerCase() === 'bearer') parameters = new Map();
      } else if (parameters !== undefined && name !== undefined) {
        const value = quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '';
        parameters.set(name.toLowerCase(), value);
      }
    }
    if (parameters !== undefined) return parameters;
  }
  return undefined;
}

function refused(what: string): Challenge {
  return { kind: 'refused', reason: `the registry wants a token ${what}` };
}

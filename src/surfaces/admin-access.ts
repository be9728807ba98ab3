import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { sameSecret } from './same-secret.ts';

/** Why a request is turned away. */
export interface Denial {
  readonly status: 401 | 403;
  readonly detail: string;
  /** `WWW-Authenticate`, with a 401. */
  readonly challenges?: readonly string[];
}

const bearer = 'Bearer realm="millrace"';
/** A browser can only ask for a password: the token is the password, the user name is free. */
const basic = 'Basic realm="millrace", charset="UTF-8"';

/**
 * Asks for the token where one is set. Reading also takes it as a Basic password, for browsers; a
 * change takes it as a bearer token only, which no foreign page can make a browser send.
 */
export function denyWithoutToken(
  request: IncomingMessage,
  token: string | undefined,
  changes: boolean,
): Denial | undefined {
  if (token === undefined) return undefined;
  const [, scheme = '', credentials = ''] =
    /^(\S+) +(\S+) *$/.exec(request.headers.authorization ?? '') ?? [];
  if (scheme.toLowerCase() === 'bearer' && sameSecret(credentials, token)) return undefined;
  if (!changes && scheme.toLowerCase() === 'basic') {
    const text = Buffer.from(credentials, 'base64').toString();
    if (sameSecret(text.slice(text.indexOf(':') + 1), token)) return undefined;
  }
  return {
    status: 401,
    detail: 'This needs the admin token: Authorization: Bearer <admin.token>.',
    challenges: changes ? [bearer] : [bearer, basic],
  };
}

/**
 * Turns away changes that a foreign web page may have caused: from another origin, or, where no
 * token protects them, under a host name that is not this machine's own (DNS rebinding makes a
 * foreign page's origin equal to ours, but its name stays in `Host`; an address cannot be rebound).
 */
export function denyForeignChange(
  request: IncomingMessage,
  token: string | undefined,
): Denial | undefined {
  const { origin, host = '' } = request.headers;
  const site = request.headers['sec-fetch-site'];
  const foreign = site !== undefined && site !== 'same-origin' && site !== 'none';
  if (foreign || (origin !== undefined && hostOf(origin) !== host.toLowerCase())) {
    return { status: 403, detail: 'Changes are not taken from pages of another origin.' };
  }
  return denyForeignName(request, token);
}

/** The same names for reading what is not meant for everybody: a rebound page could read it, too. */
export function denyForeignName(
  { headers: { host = '' } }: IncomingMessage,
  token: string | undefined,
): Denial | undefined {
  if (token !== undefined || isLocalName(host)) return undefined;
  return {
    status: 403,
    detail:
      'Without admin.token, this is served under an IP address or localhost only: use one of these, or set admin.token.',
  };
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function isLocalName(host: string): boolean {
  if (!URL.canParse(`http://${host}/`)) return false;
  const name = new URL(`http://${host}/`).hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost');
}

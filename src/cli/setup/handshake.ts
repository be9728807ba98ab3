import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls';

/** How TLS with a host goes through a proxy. */
export type Handshake =
  /** `intercepted`: the certificate is of a gateway's authority, not of the host. */
  | { readonly kind: 'trusted'; readonly intercepted: boolean }
  | { readonly kind: 'untrusted'; readonly code: string; readonly issuer: string }
  | { readonly kind: 'refused'; readonly status: number; readonly detail: string }
  | { readonly kind: 'failed'; readonly detail: string };

export interface HandshakeOptions {
  /** `http://` or `https://`, an origin. */
  readonly proxyUrl: string;
  readonly host: string;
  readonly port: number;
  /** What the client trusts, PEM; for an https proxy too. */
  readonly ca: readonly string[];
  readonly timeoutMs?: number;
}

/** Asks a proxy for a tunnel and greets the host in it, as a tool with these authorities would. */
export async function shakeHands(options: HandshakeOptions): Promise<Handshake> {
  const { host, ca, timeoutMs = 5_000 } = options;
  const signal = AbortSignal.timeout(timeoutMs);
  let socket: Socket | undefined;
  let secure: TLSSocket | undefined;
  try {
    const [response, opened] = await tunnel(options, signal);
    socket = opened;
    if (response.statusCode !== 200) {
      const detail = String(response.headers['proxy-status'] ?? '');
      return { kind: 'refused', status: response.statusCode ?? 0, detail };
    }
    const name = isIP(host) === 0 ? { servername: host } : {};
    // It is looked at by itself below: who signed is of interest also where nobody trusts them.
    secure = connect({ socket, host, ...name, ca: [...ca], rejectUnauthorized: false });
    await once(secure, 'secureConnect', { signal });
    const issuer = issuerOf(secure.getPeerCertificate());
    if (secure.authorized) return { kind: 'trusted', intercepted: /^Millrace CA /.test(issuer) };
    const code = String(secure.authorizationError);
    return { kind: 'untrusted', code, issuer };
  } catch (error) {
    return { kind: 'failed', detail: error instanceof Error ? error.message : String(error) };
  } finally {
    secure?.destroy();
    socket?.destroy();
  }
}

async function tunnel(
  { proxyUrl, host, port, ca }: HandshakeOptions,
  signal: AbortSignal,
): Promise<[IncomingMessage, Socket]> {
  const path = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const proxy = new URL(proxyUrl);
  const where = { host: proxy.hostname.replace(/^\[|\]$/g, ''), port: proxy.port, path };
  const options = { ...where, method: 'CONNECT', headers: { Host: path }, agent: false, signal };
  const request: ClientRequest =
    proxy.protocol === 'https:' ? requestHttps({ ...options, ca: [...ca] }) : requestHttp(options);
  const answered = once(request, 'connect') as Promise<[IncomingMessage, Socket]>;
  request.end();
  return answered;
}

function issuerOf({ issuer }: PeerCertificate): string {
  const name = issuer?.CN ?? issuer?.O ?? '';
  return Array.isArray(name) ? name.join(', ') : name;
}

import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { listAt, textAt } from '../foreign-json.ts';
import type { GatewayMount } from './tool.ts';

/** What a gateway says of itself. */
export interface GatewayAnswer {
  /** How it says that clients reach it, without a trailing slash. */
  readonly url: string;
  readonly mounts: readonly GatewayMount[];
  /** Its `Date`, milliseconds since the epoch; undefined without one. */
  readonly date: number | undefined;
}

export type Asked =
  | { readonly ok: true; readonly answer: GatewayAnswer }
  /** `unreachable` without an answer, `foreign` where it is of something else, `untrusted` of TLS. */
  | {
      readonly ok: false;
      readonly why: 'unreachable' | 'foreign' | 'untrusted';
      readonly detail: string;
    };

export interface AskOptions {
  /** Certificates to trust for it, PEM; without them what Node trusts. */
  readonly ca?: string;
  readonly timeoutMs?: number;
}

const mostBytes = 1_048_576;

/** Asks a gateway, at its URL without a trailing slash, who it is. It does not follow redirects. */
export async function askGateway(url: string, options: AskOptions = {}): Promise<Asked> {
  let response: {
    readonly status: number;
    readonly date: string | undefined;
    readonly body: string;
  };
  try {
    response = await get(`${url}/`, options);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const why = isCertificateTrouble(code) ? 'untrusted' : 'unreachable';
    return { ok: false, why, detail: message === '' ? code : message };
  }
  const document = parsed(response.body);
  if (response.status !== 200 || textAt(document, 'name') !== 'millrace') {
    return { ok: false, why: 'foreign', detail: `it answered ${response.status}` };
  }
  const date = Date.parse(response.date ?? '');
  const answer = {
    url: textAt(document, 'url') ?? url,
    mounts: listAt(document, 'mounts').flatMap((mount) => mountOf(mount)),
    date: Number.isNaN(date) ? undefined : date,
  };
  return { ok: true, answer };
}

/** Codes of OpenSSL's verification, and Node's own for a name that does not match. */
export function isCertificateTrouble(code: string): boolean {
  return /CERT|ISSUER|UNABLE_TO_VERIFY|HOSTNAME_MISMATCH/.test(code);
}

function mountOf(mount: unknown): GatewayMount[] {
  const path = textAt(mount, 'path');
  const ecosystem = textAt(mount, 'ecosystem');
  const urls = listAt(mount, 'upstreams').filter((each) => typeof each === 'string');
  const upstreams = urls.filter((each) => URL.canParse(each));
  return path === undefined || ecosystem === undefined ? [] : [{ path, ecosystem, upstreams }];
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

function get(url: string, { ca, timeoutMs = 5_000 }: AskOptions) {
  const { promise, resolve, reject } = Promise.withResolvers<{
    readonly status: number;
    readonly date: string | undefined;
    readonly body: string;
  }>();
  const signal = AbortSignal.timeout(timeoutMs);
  const headers = { Accept: 'application/json' };
  const options = { headers, signal, agent: false, ...(ca !== undefined && { ca }) };
  const request = url.startsWith('https:') ? requestHttps(url, options) : requestHttp(url, options);
  request.on('error', reject).on('response', (response) => {
    let body = '';
    response.setEncoding('utf8').on('error', reject);
    response.on('data', (text: string) => {
      body += text;
      if (body.length > mostBytes) response.destroy(new Error('its answer has no end'));
    });
    response.on('end', () => {
      resolve({ status: response.statusCode ?? 0, date: response.headers.date, body });
    });
  });
  request.end();
  return promise;
}

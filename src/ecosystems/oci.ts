import { pathOf } from '../core/canonical-url.ts';
import type { Classification, ClassifyRequest } from '../core/classification.ts';
import { fieldValue } from '../core/raw-headers.ts';
import type { Addressed, Ecosystem, OwnAnswer } from './ecosystem.ts';
import { authorityOf } from './foreign-file.ts';
import { chosenFields } from './negotiation.ts';
import { manifestTypes, oneSpelling } from './oci-negotiation.ts';
import { parseOciPath } from './oci-path.ts';
import { ociTokens } from './oci-tokens.ts';

export interface OciOptions {
  /** Other hosts (with a port where it is not the scheme's) whose tokens are taken. */
  readonly hosts: readonly string[];
}

const dockerHub = 'registry-1.docker.io';
const dockerHubNames = ['docker.io', 'index.docker.io', dockerHub];
const digestField = 'docker-content-digest';

/**
 * Registries of container images: the OCI distribution specification, version 1.1. The upstream's URL
 * ends in `/v2`. What has a digest in its URL never changes; a tag is asked for each time.
 */
export function createOci(options: OciOptions): Ecosystem {
  const hosts = options.hosts.map((host) => host.toLowerCase());
  return {
    id: 'oci',
    hosts: [dockerHub],
    tokens: ociTokens(hosts),
    readOnly: true,
    classify,
    recognises: ({ url }) => {
      const { kind } = parseOciPath(pathOf(url));
      return kind === 'blob' || kind === 'manifest' || kind === 'tag';
    },
    resolve,
    claims: (target) => /^\/v2\/?(?:\?|$)/.test(target),
    addressed,
    namesOf,
    answer,
  };
}

function classify({ url, headers }: ClassifyRequest): Classification {
  const path = parseOciPath(pathOf(url));
  const authorized = fieldValue(headers, 'authorization') !== undefined;
  // What a client may see by its own credentials is not for the next one, whatever the response says.
  const own = authorized && { unshared: "by the client's own credentials" };
  switch (path.kind) {
    case 'blob':
    case 'manifest': {
      if (path.digest === undefined) return foreign('its digest is in no algorithm that is known');
      const manifest = path.kind === 'manifest';
      const requestHeaders = chosenFields(headers, {
        // The digest is that of the bytes without a coding.
        'Accept-Encoding': () => 'identity',
        // Nobody's short list makes a manifest that is there a 404 for everybody.
        ...(manifest && { Accept: (value) => manifestTypes(value) }),
      });
      return {
        kind: 'artifact',
        digest: path.digest,
        digestField,
        ...(requestHeaders && { requestHeaders }),
        ...own,
      };
    }
    case 'tag': {
      const requestHeaders = chosenFields(headers, {
        'Accept-Encoding': () => 'identity',
        Accept: oneSpelling,
      });
      return {
        kind: 'index',
        freshness: 'validate',
        vary: ['accept'],
        digestField,
        validateByHead: true,
        wholeForHead: true,
        staleIfThrottled: true,
        ...(requestHeaders && { requestHeaders }),
        ...own,
      };
    }
    case 'base':
    case 'list':
    case 'catalog':
      return { kind: 'index', freshness: 'validate', staleIfThrottled: true, ...own };
    case 'ambiguous':
    case 'other':
      return foreign('no part of the distribution API that is known');
  }
}

/** Asked of the registry each time, for one client. */
function foreign(unshared: string): Classification {
  return { kind: 'index', freshness: 'validate', unshared };
}

/** A name of one component is one of Docker's own images there, as its clients take it. */
function resolve(path: string, upstreamUrl: string): string | undefined {
  if (authorityOf(upstreamUrl) !== dockerHub) return undefined;
  const official = /^\/[a-z0-9._-]+\/(?:blobs|manifests|tags|referrers)\/[\w.:+=-]+$/.test(path);
  return official ? `${upstreamUrl}/library${path}` : undefined;
}

/** containerd names the registry that it means by `ns`. containerd, docs/hosts.md. */
function addressed(target: string): Addressed | undefined {
  const [, path, query] = /^\/v2(\/[^?]*)\?(.*)$/s.exec(target) ?? [];
  if (path === undefined || query === undefined) return undefined;
  const parameters = query.split('&');
  const named = parameters.filter((each) => each.startsWith('ns='));
  if (named.length === 0) return undefined;
  // Named twice, no reader can tell which one is meant: no upstream goes by that name.
  const text = named.length === 1 ? (named[0] as string).slice('ns='.length) : '';
  const others = parameters.filter((each) => !named.includes(each));
  const rest = others.length === 0 ? '' : `?${others.join('&')}`;
  return {
    name: text.replace(/%3a/gi, ':').toLowerCase(),
    root: '/v2',
    target: `/v2${path}${rest}`,
  };
}

function namesOf(upstreamUrl: string): readonly string[] {
  const authority = authorityOf(upstreamUrl);
  return authority === dockerHub ? dockerHubNames : [authority];
}

/** What a client of a mount hears from the gateway itself. */
function answer({ method, path }: { method: string; path: string }): OwnAnswer | undefined {
  if (method !== 'GET' && method !== 'HEAD') {
    // A push would be with the credentials of the gateway, by whoever reaches it.
    return {
      ...error(405, 'UNSUPPORTED', 'this is a cache for pulls: push to the registry itself'),
      reason: 'pushes are refused',
    };
  }
  const { kind } = parseOciPath(path.startsWith('/v2') ? path : `/v2${path}`);
  switch (kind) {
    case 'base':
      return {
        status: 200,
        headers: [...json, 'Docker-Distribution-Api-Version', 'registry/2.0'],
        body: '{}',
        reason: 'the gateway speaks the distribution API',
      };
    case 'ambiguous':
      return {
        ...error(400, 'NAME_INVALID', 'names and references hold no escapes and no backslashes'),
        reason: 'an ambiguous name',
      };
    default:
      return undefined;
  }
}

const json = ['Content-Type', 'application/json'];

/** OCI distribution specification, "Error Codes". */
function error(status: number, code: string, message: string): Omit<OwnAnswer, 'reason'> {
  return { status, headers: json, body: JSON.stringify({ errors: [{ code, message }] }) };
}

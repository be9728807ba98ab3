import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type HttpOrigin, httpOrigin, type Resource } from './http-origin.ts';

export const manifestType = 'application/vnd.oci.image.manifest.v1+json';
export const indexType = 'application/vnd.oci.image.index.v1+json';

/** What was pushed of an image: digests as `sha256:…`. */
export interface PushedImage {
  readonly index: string;
  /** Of the platforms amd64 and arm64. */
  readonly manifests: readonly string[];
  readonly config: string;
  readonly layer: string;
}

/** Who may read: the `Authorization` that is good, and the challenge for others. */
export interface Guard {
  readonly challenge: string;
  readonly accepts: (authorization: string | undefined) => boolean;
}

/** A small registry on loopback, by the OCI distribution specification, for pulls. */
export class OciRegistry {
  readonly origin: HttpOrigin;
  guard: Guard | undefined;
  /** Fields of each response. */
  headers: Readonly<Record<string, string>> = {};
  /** Answers all with this status. */
  failing: number | undefined;

  constructor(origin: HttpOrigin) {
    this.origin = origin;
    this.serve('/v2/', { body: '{}' });
  }

  /** The upstream of a mount. */
  get url(): string {
    return `${this.origin.url}/v2`;
  }

  /** `METHOD path` of what was asked below `/v2/`, in order. */
  asked(): string[] {
    return this.origin.requests.map(({ method, target }) => `${method} ${target.slice(3)}`);
  }

  /** An image of two platforms with one layer; what the layer holds makes it another image. */
  push(name: string, tag: string, layer: string): PushedImage {
    const blob = this.blob(name, layer);
    const config = this.blob(name, JSON.stringify({ rootfs: { diff_ids: [blob] } }));
    const size = Buffer.byteLength(layer);
    const manifests = ['amd64', 'arm64'].map((architecture) =>
      this.manifest(name, {
        mediaType: manifestType,
        config: { digest: config },
        layers: [{ digest: blob, size }],
        annotations: { architecture },
      }),
    );
    const index = this.manifest(name, {
      mediaType: indexType,
      manifests: manifests.map((digest) => ({ digest })),
    });
    this.tag(name, tag, index);
    return { index, manifests, config, layer: blob };
  }

  blob(name: string, body: string): string {
    const digest = digestOf(body);
    this.serve(`/v2/${name}/blobs/${digest}`, {
      body,
      etag: `"${digest}"`,
      headers: { 'Docker-Content-Digest': digest },
    });
    return digest;
  }

  manifest(
    name: string,
    document: { readonly mediaType: string; readonly [field: string]: unknown },
  ): string {
    const body = JSON.stringify({ schemaVersion: 2, ...document });
    const digest = digestOf(body);
    this.#manifests.set(digest, { body, type: document.mediaType });
    this.serve(`/v2/${name}/manifests/${digest}`, manifestResource(body, document.mediaType));
    return digest;
  }

  tag(name: string, tag: string, digest: string): void {
    const { body = '', type = manifestType } = this.#manifests.get(digest) ?? {};
    this.serve(`/v2/${name}/manifests/${tag}`, manifestResource(body, type));
  }

  readonly #manifests = new Map<string, { body: string; type: string }>();

  serve(path: string, resource: Resource): void {
    this.origin.serve(path, resource);
    const { origin } = this;
    const answer = origin.handlerOf(path);
    origin.handle(path, (request, response) => {
      if (this.#refused(request, response)) return;
      for (const [field, value] of Object.entries(this.headers)) response.setHeader(field, value);
      return answer?.(request, response);
    });
  }

  #refused(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.failing !== undefined) {
      response.writeHead(this.failing, { 'Content-Length': 0 }).end();
      return true;
    }
    if (this.guard === undefined || this.guard.accepts(request.headers.authorization)) return false;
    const fields = { 'WWW-Authenticate': this.guard.challenge, 'Content-Length': 0 };
    response.writeHead(401, fields).end();
    return true;
  }
}

function manifestResource(body: string, type: string): Resource {
  const digest = digestOf(body);
  const headers = { 'Content-Type': type, 'Docker-Content-Digest': digest };
  return { body, etag: `"${digest}"`, headers };
}

export function digestOf(body: string): string {
  return `sha256:${createHash('sha256').update(body).digest('hex')}`;
}

/** One of the running test. */
export async function ociRegistry(): Promise<OciRegistry> {
  return new OciRegistry(await httpOrigin());
}

/** A token service; each token is for one scope, and good until it is revoked. */
export class TokenService {
  readonly origin: HttpOrigin;
  /** What the answer is, instead of a token. */
  answer: { readonly status: number; readonly headers?: Record<string, string> } | undefined;
  expiresIn = 300;
  #issued = 0;
  readonly #good = new Set<string>();

  constructor(origin: HttpOrigin) {
    this.origin = origin;
    origin.handle('/token', (request, response) => {
      if (this.answer !== undefined) {
        const { status, headers } = this.answer;
        response.writeHead(status, { 'Content-Length': 0, ...headers }).end();
        return;
      }
      const scope = new URL(request.url ?? '', origin.url).searchParams.get('scope') ?? '';
      this.#issued += 1;
      const token = `token-${this.#issued}-${Buffer.from(scope).toString('hex')}`;
      this.#good.add(token);
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ token, expires_in: this.expiresIn }));
    });
  }

  get host(): string {
    return new URL(this.origin.url).host;
  }

  revoke(): void {
    this.#good.clear();
  }

  /** A registry's guard that wants a token for the repository. */
  guard(name: string, realm = `${this.origin.url}/token`): Guard {
    return {
      challenge: `Bearer realm="${realm}",service="registry",scope="repository:${name}:pull"`,
      accepts: (authorization = '') => this.#good.has(authorization.replace(/^Bearer /, '')),
    };
  }

  /** The query and `Authorization` of each request. */
  asked(): { readonly query: string; readonly authorization: string | undefined }[] {
    return this.origin.requests.map(({ target, headers }) => {
      const at = headers.findIndex((each) => each.toLowerCase() === 'authorization');
      return {
        query: decodeURIComponent(target.split('?')[1] ?? ''),
        authorization: at === -1 ? undefined : headers[at + 1],
      };
    });
  }
}

export async function tokenService(): Promise<TokenService> {
  return new TokenService(await httpOrigin());
}

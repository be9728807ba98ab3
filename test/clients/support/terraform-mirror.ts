import { createHash } from 'node:crypto';
import { arch } from 'node:os';
import type { HttpOrigin } from '../../support/http-origin.ts';
import { zip } from './zip.ts';

export interface Provider {
  readonly name: string;
  readonly version: string;
}

const fresh = { 'Cache-Control': 'public, max-age=600' };
const platform = `linux_${arch() === 'x64' ? 'amd64' : arch()}`;

/** Where the provider is in its namespace, as configurations name it. */
export function sourceOf({ name }: Provider): string {
  return `registry.example.test/acme/${name}`;
}

/** A small mirror by Terraform's "Provider Network Mirror Protocol". */
export class TerraformMirror {
  readonly origin: HttpOrigin;

  constructor(origin: HttpOrigin, providers: readonly Provider[]) {
    this.origin = origin;
    for (const provider of providers) this.#publish(provider);
  }

  /** Serves these bytes as the archive, whatever the list says of it. */
  serve(provider: Provider, body: Buffer): void {
    this.origin.serve(`/${sourceOf(provider)}/${archiveName(provider)}`, { body });
  }

  /** Paths asked for so far. */
  targets(): string[] {
    return this.origin.requests.map(({ target }) => target);
  }

  #publish(provider: Provider): void {
    const body = archiveOf(provider);
    this.serve(provider, body);
    const hashes = [`zh:${createHash('sha256').update(body).digest('hex')}`];
    const archives = { [platform]: { url: archiveName(provider), hashes } };
    this.#document(provider, 'index', { versions: { [provider.version]: {} } });
    this.#document(provider, provider.version, { archives });
  }

  #document(provider: Provider, name: string, document: object): void {
    const headers = { ...fresh, 'Content-Type': 'application/json' };
    const body = JSON.stringify(document);
    this.origin.serve(`/${sourceOf(provider)}/${name}.json`, { body, headers });
  }
}

/** An archive whose program nobody runs. */
export function archiveOf({ name, version }: Provider): Buffer {
  return zip({ [`terraform-provider-${name}_v${version}`]: `${name} ${version}\n` });
}

function archiveName({ name, version }: Provider): string {
  return `terraform-provider-${name}_${version}_${platform}.zip`;
}

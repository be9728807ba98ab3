import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { temporaryFolder } from '../../support/gateway.ts';
import { type HttpOrigin, httpOrigin } from '../../support/http-origin.ts';
import { run } from './run.ts';

/** What a package's own `package.json` says. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

interface Published {
  readonly manifest: Manifest & Readonly<Record<string, unknown>>;
  readonly tarball: Buffer;
}

export interface RegistryOptions {
  /** `Cache-Control` of package documents. */
  readonly cacheControl?: string;
  /** Where package documents say the tarballs are; without it, here. No trailing slash. */
  readonly tarballBase?: string;
  /** Where it is; without it, a new origin over plain HTTP. */
  readonly origin?: HttpOrigin;
  /** More files of each package, by their paths in it. */
  readonly files?: Readonly<Record<string, string>>;
  /** Signs `name@version:integrity`, as registries do for `dist.signatures`. */
  readonly sign?: (text: string) => { readonly keyid: string; readonly sig: string };
}

/** A small npm registry on loopback: documents, tarballs, publishing. */
export class NpmRegistry {
  readonly origin: HttpOrigin;
  readonly #options: RegistryOptions;
  readonly #packages = new Map<string, Published[]>();
  readonly #tags = new Map<string, Record<string, string>>();

  constructor(origin: HttpOrigin, options: RegistryOptions) {
    this.origin = origin;
    this.#options = options;
  }

  /** Requests so far that were for a tarball, or for anything else. */
  requests(kind: 'tarball' | 'document'): HttpOrigin['requests'] {
    return this.origin.requests.filter(
      ({ target }) => target.endsWith('.tgz') === (kind === 'tarball'),
    );
  }

  add(manifest: Published['manifest'], tarball: Buffer): void {
    const { name } = manifest;
    this.open(name);
    this.#packages.set(name, [...(this.#packages.get(name) ?? []), { manifest, tarball }]);
    this.serveTarball(manifest, tarball);
    this.#serveManifest(name, manifest.version);
  }

  /** Takes versions of a package that it does not have yet. */
  open(name: string): void {
    for (const path of spellings(`/${name}`)) {
      this.origin.handle(path, (request, response) =>
        request.method === 'PUT'
          ? this.#publish(request, response)
          : this.#document(name, request, response),
      );
    }
  }

  /** One version's own document, by its number and by the tag `latest`. */
  #serveManifest(name: string, version: string): void {
    for (const selector of [version, 'latest']) {
      for (const path of spellings(`/${name}/${selector}`)) {
        const body = JSON.stringify(this.#versions(name)[version]);
        const headers = { 'Content-Type': 'application/json', 'Cache-Control': this.#freshness };
        this.origin.serve(path, { body, headers });
      }
    }
  }

  get #freshness(): string {
    return this.#options.cacheControl ?? 'public, max-age=300';
  }

  /** Moves a tag of a package to a version. */
  tag(name: string, tag: string, version: string): void {
    this.#tags.set(name, { ...this.#tags.get(name), [tag]: version });
  }

  /** Serves these bytes as the tarball, whatever the document says of it. */
  serveTarball(manifest: Manifest, body: Buffer): void {
    const headers = { 'Content-Type': 'application/octet-stream', 'Cache-Control': 'public' };
    for (const path of spellings(tarballPath(manifest))) {
      this.origin.serve(path, { body, headers });
    }
  }

  tarball(name: string, version: string): Buffer {
    const found = this.#packages.get(name)?.find((each) => each.manifest.version === version);
    if (found === undefined) throw new Error(`there is no ${name}@${version}`);
    return found.tarball;
  }

  #document(name: string, request: IncomingMessage, response: ServerResponse): void {
    if (!this.#packages.has(name)) {
      response.writeHead(404, { 'Content-Length': 0 }).end();
      return;
    }
    const abbreviated = (request.headers.accept ?? '').includes('vnd.npm.install-v1');
    const text = JSON.stringify(abbreviated ? this.#abbreviated(name) : this.#full(name));
    const zip = (request.headers['accept-encoding'] ?? '').includes('gzip');
    const body = zip ? gzipSync(text) : Buffer.from(text);
    const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 20)}"`;
    const fields = {
      'Content-Type': abbreviated ? 'application/vnd.npm.install-v1+json' : 'application/json',
      'Cache-Control': this.#freshness,
      Vary: 'Accept, Accept-Encoding',
      ETag: etag,
      ...(zip && { 'Content-Encoding': 'gzip' }),
    };
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304, fields).end();
      return;
    }
    response.writeHead(200, { ...fields, 'Content-Length': body.length }).end(body);
  }

  #full(name: string): object {
    const versions = this.#packages.get(name) ?? [];
    const time = Object.fromEntries(
      versions.map(({ manifest }) => [manifest.version, '2026-01-01T00:00:00.000Z']),
    );
    return { _id: name, ...this.#abbreviated(name), readme: '# Unread', time };
  }

  #abbreviated(name: string): object {
    const latest = this.#packages.get(name)?.at(-1)?.manifest.version;
    const versions = this.#versions(name);
    const tags = { latest, ...this.#tags.get(name) };
    return { name, 'dist-tags': tags, versions, modified: '2026-01-01T00:00:00.000Z' };
  }

  #versions(name: string): Readonly<Record<string, object>> {
    const { tarballBase = this.origin.url, sign } = this.#options;
    const all = this.#packages.get(name) ?? [];
    return Object.fromEntries(
      all.map(({ manifest, tarball }) => {
        const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
        const shasum = createHash('sha1').update(tarball).digest('hex');
        const dist = {
          tarball: tarballBase + tarballPath(manifest),
          integrity,
          shasum,
          ...(sign && { signatures: [sign(`${name}@${manifest.version}:${integrity}`)] }),
        };
        return [manifest.version, { ...manifest, dist }];
      }),
    );
  }

  async #publish(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const document = JSON.parse(Buffer.concat(chunks).toString()) as {
      versions: Record<string, Published['manifest']>;
      _attachments: Record<string, { data: string }>;
    };
    const [manifest] = Object.values(document.versions);
    const [attachment] = Object.values(document._attachments);
    if (manifest === undefined || attachment === undefined) {
      response.writeHead(400, { 'Content-Length': 0 }).end();
      return;
    }
    this.add(manifest, Buffer.from(attachment.data, 'base64'));
    const body = '{"ok":true}';
    const type = { 'Content-Type': 'application/json', 'Content-Length': body.length };
    response.writeHead(201, type).end(body);
  }
}

/** A scope's slash as one client or another writes it. */
function spellings(path: string): readonly string[] {
  if (!path.startsWith('/@')) return [path];
  return ['/', '%2f', '%2F'].map((slash) => path.replace(/(?<=@[^/]+)\//, slash));
}

/** The path of a version's tarball below a registry. */
export function tarballPath({ name, version }: Manifest): string {
  return `/${name}/-/${name.split('/').at(-1)}-${version}.tgz`;
}

/** The same bytes with one bit in the middle that is not. */
export function corrupted(tarball: Buffer): Buffer {
  const bad = Buffer.from(tarball);
  const middle = bad.length >> 1;
  bad.writeUInt8(bad.readUInt8(middle) ^ 1, middle);
  return bad;
}

/** A registry of the running test with these packages, packed by npm itself. */
export async function npmRegistry(
  manifests: readonly Manifest[],
  options: RegistryOptions = {},
): Promise<NpmRegistry> {
  const registry = new NpmRegistry(options.origin ?? (await httpOrigin()), options);
  const folders = await Promise.all(
    manifests.map((manifest) => packageFolder(manifest, options.files)),
  );
  const packed = await temporaryFolder();
  const env = { HOME: packed, npm_config_update_notifier: 'false' };
  await run('npm', ['pack', '--pack-destination', packed, ...folders], { cwd: packed, env });
  for (const manifest of manifests) {
    const file = `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`;
    registry.add({ ...manifest }, await readFile(join(packed, file)));
  }
  return registry;
}

/** The folder of a package whose module says its name and version. */
export async function packageFolder(
  manifest: Manifest,
  files: RegistryOptions['files'] = {},
): Promise<string> {
  const folder = join(await temporaryFolder(), 'package');
  await mkdir(folder);
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  const { name, version } = manifest;
  await writeFile(join(folder, 'index.js'), `module.exports = '${name} ${version}';\n`);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

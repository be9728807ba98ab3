import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { type GeneratedPackage, packageSet } from './package-set.ts';
import { type Packed, packed } from './tarball.ts';

export interface RegistryOptions {
  readonly packages: number;
  /** Milliseconds before each response: the way to a registry and back. */
  readonly latencyMs: number;
}

/** What a lockfile says of a package. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

interface Answer {
  readonly body: Buffer;
  readonly fields: Readonly<Record<string, string>>;
}

/** A registry of generated packages, in memory; everything is made before it listens. */
export class RegistryServer {
  readonly server: Server;
  readonly locked: readonly LockedPackage[];
  readonly #packages: readonly (GeneratedPackage & Packed)[];
  readonly #tarballs = new Map<string, Answer>();
  /** By path, and whether it is abbreviated and compressed; made for the URL that the registry has. */
  readonly #documents = new Map<string, Answer>();
  readonly #latencyMs: number;
  #requests = 0;

  constructor({ packages, latencyMs }: RegistryOptions) {
    this.#latencyMs = latencyMs;
    this.#packages = packageSet(packages).map((each) => ({ ...each, ...packed(each) }));
    this.locked = this.#packages.map(({ name, version, integrity, dependencies }) => ({
      name,
      version,
      integrity,
      dependencies,
    }));
    this.server = createServer((request, response) => this.#answer(request, response));
  }

  /** Makes all answers, with the registry's own URL (no slash at the end) in them. */
  fill(url: string): void {
    for (const each of this.#packages) {
      const path = tarballPath(each.name, each.version);
      const fields = {
        'Content-Type': 'application/octet-stream',
        'Cache-Control': 'public, max-age=31557600, immutable',
      };
      this.#tarballs.set(path, withTag(each.tarball, fields));
      for (const short of [true, false]) {
        const text = JSON.stringify(document(each, url, short));
        const type = short ? 'application/vnd.npm.install-v1+json' : 'application/json';
        const common = {
          'Content-Type': type,
          'Cache-Control': 'public, max-age=300',
          Vary: 'Accept, Accept-Encoding',
        };
        const key = `/${each.name} ${short}`;
        this.#documents.set(`${key} false`, withTag(Buffer.from(text), common));
        const zipped = { ...common, 'Content-Encoding': 'gzip' };
        this.#documents.set(`${key} true`, withTag(gzipSync(text), zipped));
      }
    }
  }

  /** How many requests there were since the last time. */
  take(): number {
    const taken = this.#requests;
    this.#requests = 0;
    return taken;
  }

  #answer({ url = '', headers }: IncomingMessage, response: ServerResponse): void {
    this.#requests += 1;
    const path = url.replace(/%2f/i, '/');
    const short = (headers.accept ?? '').includes('vnd.npm.install-v1+json');
    const zip = (headers['accept-encoding'] ?? '').includes('gzip');
    const answer = this.#tarballs.get(path) ?? this.#documents.get(`${path} ${short} ${zip}`);
    setTimeout(() => {
      if (answer === undefined) response.writeHead(404, { 'Content-Length': 0 }).end();
      else if (headers['if-none-match'] === answer.fields.ETag) {
        response.writeHead(304, answer.fields).end();
      } else {
        const { body, fields } = answer;
        response.writeHead(200, { ...fields, 'Content-Length': body.length }).end(body);
      }
    }, this.#latencyMs);
  }
}

/** The path of a version's tarball below a registry. */
export function tarballPath(name: string, version: string): string {
  return `/${name}/-/${name.slice(name.indexOf('/') + 1)}-${version}.tgz`;
}

function document(each: GeneratedPackage & Packed, url: string, short: boolean): object {
  const { name, version, dependencies } = each;
  const numbers = Array.from({ length: each.versions - 1 }, (_, index) => `0.${index}.0`);
  const versions = [...numbers, version].map((number) => {
    const isReal = number === version;
    const hash = createHash('sha512').update(`${name} ${number}`).digest('base64');
    const dist = {
      integrity: isReal ? each.integrity : `sha512-${hash}`,
      shasum: isReal ? each.shasum : createHash('sha1').update(hash).digest('hex'),
      tarball: url + tarballPath(name, number),
      fileCount: each.fileCount,
      unpackedSize: each.size,
      signatures: [{ keyid: 'SHA256:generated', sig: hash }],
    };
    const engines = { node: '>=18' };
    const manifest = { name, version: number, dependencies, engines, dist };
    return [number, short ? manifest : { ...manifest, _id: `${name}@${number}`, license: 'MIT' }];
  });
  const common = {
    name,
    'dist-tags': { latest: version },
    versions: Object.fromEntries(versions),
    modified: '2026-01-01T00:00:00.000Z',
  };
  if (short) return common;
  const time = Object.fromEntries(numbers.map((number) => [number, '2026-01-01T00:00:00.000Z']));
  return { ...common, _id: name, time, readme: `# ${name}\n`.repeat(200) };
}

function withTag(body: Buffer, fields: Readonly<Record<string, string>>): Answer {
  const tag = createHash('sha256').update(body).digest('hex').slice(0, 20);
  return { body, fields: { ...fields, ETag: `"${tag}"` } };
}

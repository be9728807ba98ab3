import { createHash } from 'node:crypto';
import { type HttpOrigin, httpOrigin } from '../../support/http-origin.ts';
import { zip } from './zip.ts';

export interface ComposerPackage {
  readonly name: string;
  readonly version: string;
  /** Requirements by name. */
  readonly requires?: Readonly<Record<string, string>>;
}

const fresh = { 'Cache-Control': 'public, max-age=600' };

/** A small Composer repository on loopback, its archives on another port. */
export class ComposerRepository {
  readonly index: HttpOrigin;
  readonly archives: HttpOrigin;

  constructor(index: HttpOrigin, archives: HttpOrigin) {
    this.index = index;
    this.archives = archives;
    const root = { packages: [], 'metadata-url': '/p2/%package%.json' };
    index.serve('/packages.json', { body: JSON.stringify(root), headers: fresh });
  }

  publish(item: ComposerPackage): void {
    const { name, version, requires = {} } = item;
    const body = archiveOf(item);
    this.serve(item, body);
    const dist = {
      type: 'zip',
      url: `${this.archives.url}${pathOf(item)}`,
      reference: createHash('sha1').update(name).digest('hex'),
      shasum: createHash('sha1').update(body).digest('hex'),
    };
    const entry = { name, version, dist, require: requires, type: 'library' };
    const document = JSON.stringify({ packages: { [name]: [entry] }, minified: 'composer/2.0' });
    this.index.serve(`/p2/${name}.json`, { body: document, headers: fresh });
    const none = JSON.stringify({ packages: { [name]: [] }, minified: 'composer/2.0' });
    this.index.serve(`/p2/${name}~dev.json`, { body: none, headers: fresh });
  }

  /** Serves these bytes as the archive, whatever the index says of it. */
  serve(item: ComposerPackage, body: Buffer): void {
    this.archives.serve(pathOf(item), { body });
  }

  /** Paths asked for so far. */
  targets(): string[] {
    return [this.index, this.archives].flatMap(({ requests }) =>
      requests.map(({ target }) => target),
    );
  }

  async close(): Promise<void> {
    await Promise.all([this.index.close(), this.archives.close()]);
  }
}

/** An archive with a file that says name and version. */
export function archiveOf({ name, version, requires = {} }: ComposerPackage): Buffer {
  const manifest = JSON.stringify({ name, require: requires });
  return zip({ 'composer.json': manifest, 'name.txt': `${name} ${version}\n` });
}

function pathOf({ name, version }: ComposerPackage): string {
  return `/dist/${name}/${name.replace('/', '-')}-${version}.zip`;
}

/** A repository of the running test with these packages. */
export async function composerRepository(
  packages: readonly ComposerPackage[],
  origin: () => Promise<HttpOrigin> = httpOrigin,
): Promise<ComposerRepository> {
  const repository = new ComposerRepository(await origin(), await origin());
  for (const item of packages) repository.publish(item);
  return repository;
}

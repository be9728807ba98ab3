import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type HttpOrigin, httpOrigin } from '../../support/http-origin.ts';
import { zip } from './zip.ts';

export interface PythonProject {
  readonly name: string;
  readonly version: string;
  /** Requirements, as in `nail>=1`. */
  readonly requires?: readonly string[];
}

const jsonType = 'application/vnd.pypi.simple.v1+json';

/** A small package index on loopback: PEP 503 and 691, with metadata (658); its files on another port. */
export class PythonIndex {
  readonly pages: HttpOrigin;
  readonly files: HttpOrigin;
  readonly #projects = new Map<string, { readonly wheel: Buffer; readonly metadata: string }>();

  constructor(pages: HttpOrigin, files: HttpOrigin) {
    this.pages = pages;
    this.files = files;
  }

  add(project: PythonProject): void {
    const metadata = metadataOf(project);
    const wheel = wheelOf(project, metadata);
    this.#projects.set(project.name, { wheel, metadata });
    this.serve(project, wheel);
    this.files.serve(`/packages/${wheelName(project)}.metadata`, { body: metadata });
    this.pages.handle(`/simple/${project.name}/`, (request, response) =>
      this.#page(project, request, response),
    );
  }

  wheel({ name }: PythonProject): Buffer {
    return this.#projects.get(name)?.wheel ?? Buffer.alloc(0);
  }

  /** Serves these bytes as the wheel, whatever the page says of it. */
  serve(project: PythonProject, body: Buffer): void {
    this.files.serve(`/packages/${wheelName(project)}`, { body });
  }

  /** Requests for wheels so far. */
  wheelRequests(): readonly string[] {
    return this.files.requests.map(({ target }) => target).filter((each) => each.endsWith('.whl'));
  }

  async close(): Promise<void> {
    await Promise.all([this.pages.close(), this.files.close()]);
  }

  #page(project: PythonProject, request: IncomingMessage, response: ServerResponse): void {
    const { wheel = Buffer.alloc(0), metadata = '' } = this.#projects.get(project.name) ?? {};
    const file = wheelName(project);
    const url = `${this.files.url}/packages/${file}`;
    const json = (request.headers.accept ?? '').includes(jsonType);
    const body = json
      ? JSON.stringify({
          meta: { 'api-version': '1.1' },
          name: project.name,
          versions: [project.version],
          files: [
            {
              filename: file,
              url,
              hashes: { sha256: sha256(wheel) },
              'core-metadata': { sha256: sha256(metadata) },
              'dist-info-metadata': { sha256: sha256(metadata) },
              size: wheel.length,
              yanked: false,
            },
          ],
        })
      : `<!DOCTYPE html><html><body><a href="${url}#sha256=${sha256(wheel)}" data-dist-info-metadata="sha256=${sha256(metadata)}" data-requires-python="&gt;=3.6">${file}</a></body></html>`;
    const etag = `"${sha256(body).slice(0, 16)}"`;
    const fields = {
      'Content-Type': json ? jsonType : 'text/html',
      'Cache-Control': 'max-age=600, public',
      Vary: 'Accept',
      ETag: etag,
    };
    if (request.headers['if-none-match'] === etag) response.writeHead(304, fields).end();
    else
      response.writeHead(200, { ...fields, 'Content-Length': Buffer.byteLength(body) }).end(body);
  }
}

function wheelName({ name, version }: PythonProject): string {
  return `${name.replaceAll('-', '_')}-${version}-py3-none-any.whl`;
}

function metadataOf({ name, version, requires = [] }: PythonProject): string {
  const lines = ['Metadata-Version: 2.1', `Name: ${name}`, `Version: ${version}`];
  return [...lines, ...requires.map((each) => `Requires-Dist: ${each}`), ''].join('\n');
}

/** PEP 427. */
function wheelOf({ name, version }: PythonProject, metadata: string): Buffer {
  const module = name.replaceAll('-', '_');
  const info = `${module}-${version}.dist-info`;
  const files: Record<string, string> = {
    [`${module}.py`]: `version = '${name} ${version}'\n`,
    [`${info}/METADATA`]: metadata,
    [`${info}/WHEEL`]:
      'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
  };
  const record = Object.entries(files).map(([path, text]) => {
    const digest = createHash('sha256').update(text).digest('base64url');
    return `${path},sha256=${digest},${Buffer.byteLength(text)}`;
  });
  files[`${info}/RECORD`] = [...record, `${info}/RECORD,,`, ''].join('\n');
  return zip(files);
}

function sha256(body: string | Buffer): string {
  return createHash('sha256').update(body).digest('hex');
}

/** An index of the running test with these projects. */
export async function pythonIndex(
  projects: readonly PythonProject[],
  origin = httpOrigin,
): Promise<PythonIndex> {
  const index = new PythonIndex(await origin(), await origin());
  for (const project of projects) index.add(project);
  return index;
}

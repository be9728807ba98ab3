import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../../support/gateway.ts';
import { tar } from '../../support/tar.ts';
import { run } from './run.ts';
import { hostPath } from './tools.ts';

/** What it shows over TLS, and the name that this is for. */
export interface RegistryCertificate {
  readonly host: string;
  readonly chain: string;
  readonly key: string;
}

/** Docker's own registry on a free port of this machine: of loopback without a name. */
export interface DockerRegistry {
  /** `host:port`, as image names have it. */
  readonly host: string;
  /** Where it keeps the blob with this digest (`sha256:…`). */
  blobFile(digest: string): string;
  /** Puts an image of two platforms there, each with a file of these bytes; its digest. */
  push(name: string, layer: Buffer): Promise<string>;
  /** The digest of the layer that an image has for the platform of this machine. */
  layerOf(name: string, digest: string): Promise<string>;
  /** `METHOD path` of each request so far. */
  asked(): string[];
  /** Switches it off. */
  close(): Promise<void>;
}

export async function dockerRegistry(secure?: RegistryCertificate): Promise<DockerRegistry> {
  const folder = await temporaryFolder();
  const name = secure?.host ?? '127.0.0.1';
  const tls = { certificate: join(folder, 'chain.pem'), key: join(folder, 'key.pem') };
  if (secure) {
    await writeFile(tls.certificate, secure.chain);
    await writeFile(tls.key, secure.key);
  }
  const config = join(folder, 'config.yml');
  const storage = join(folder, 'registry');
  const yaml = {
    version: 0.1,
    log: { formatter: 'json', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: storage } },
    http: { addr: `${name}:0`, ...(secure && { tls }) },
  };
  await writeFile(config, JSON.stringify(yaml));
  const child = spawn('docker-registry', ['serve', config], {
    env: { PATH: hostPath, OTEL_TRACES_EXPORTER: 'none' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  const close = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  onTestFinished(close);
  const listening = Promise.withResolvers<string>();
  const requests: string[] = [];
  let said = '';
  createInterface({ input: child.stderr }).on('line', (text) => {
    said += `${text}\n`;
    const port = /listening on [^ ,"]*:(\d+)/.exec(text)?.[1];
    if (port !== undefined) listening.resolve(`${name}:${port}`);
    const [, method, uri] =
      /"http\.request\.method":"(\w+)".*"http\.request\.uri":"([^"]+)"/.exec(text) ?? [];
    if (text.includes('response completed')) requests.push(`${method} ${uri}`);
  });
  exited.then(() => listening.reject(new Error(`docker-registry ended: ${said}`)));
  const host = await listening.promise;
  return {
    host,
    close,
    asked: () => [...requests],
    blobFile(digest) {
      const hex = digest.replace('sha256:', '');
      const path = 'docker/registry/v2/blobs/sha256';
      return join(storage, path, hex.slice(0, 2), hex, 'data');
    },
    async layerOf(name, digest) {
      const manifest = async (which: string): Promise<ManifestPart> => {
        const response = await fetch(`http://${host}/v2/${name}/manifests/${which}`, {
          headers: { Accept: manifestTypes.join(', ') },
        });
        return (await response.json()) as ManifestPart;
      };
      const own = process.arch === 'arm64' ? 'arm64' : 'amd64';
      const { manifests = [] } = await manifest(digest);
      const ofPlatform = manifests.find(({ platform }) => platform.architecture === own);
      const { layers = [] } = await manifest(ofPlatform?.digest ?? '');
      return layers[0]?.digest ?? '';
    },
    async push(name, layer) {
      const { layout, digest } = await imageLayout(layer);
      const to = ['--dest-tls-verify=false', `oci:${layout}:it`, `docker://${host}/${name}`];
      await run('skopeo', ['--insecure-policy', 'copy', '--all', ...to]);
      return digest;
    },
  };
}

const manifestTypes = ['index', 'manifest'].map((it) => `application/vnd.oci.image.${it}.v1+json`);

/** What is read of an index and of a manifest. */
interface ManifestPart {
  readonly manifests?: readonly {
    readonly digest: string;
    readonly platform: { readonly architecture: string };
  }[];
  readonly layers?: readonly { readonly digest: string }[];
}

/** An OCI image layout with an index of two platforms, each with one layer of its own. */
async function imageLayout(layer: Buffer): Promise<{ layout: string; digest: string }> {
  const layout = await temporaryFolder();
  const blobs = join(layout, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const add = async (bytes: Buffer) => {
    const hex = sha256(bytes);
    await writeFile(join(blobs, hex), bytes);
    return { digest: `sha256:${hex}`, size: bytes.length };
  };
  const addJson = (document: object) => add(Buffer.from(JSON.stringify(document)));
  const manifests = [];
  for (const architecture of ['amd64', 'arm64']) {
    const files = tar({ [architecture]: layer });
    const packed = await add(gzipSync(files, { level: 0 }));
    const platform = { architecture, os: 'linux' };
    const diffs = { type: 'layers', diff_ids: [`sha256:${sha256(files)}`] };
    const config = await addJson({ ...platform, config: {}, rootfs: diffs });
    const manifest = await addJson({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...packed }],
    });
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    manifests.push({ mediaType, ...manifest, platform });
  }
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const index = await addJson({ schemaVersion: 2, mediaType, manifests });
  const annotations = { 'org.opencontainers.image.ref.name': 'it' };
  const top = { schemaVersion: 2, manifests: [{ mediaType, ...index, annotations }] };
  await writeFile(join(layout, 'index.json'), JSON.stringify(top));
  await writeFile(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  return { layout, digest: index.digest };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

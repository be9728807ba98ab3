import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { temporaryFolder } from '../../support/gateway.ts';
import { type HttpOrigin, httpOrigin } from '../../support/http-origin.ts';
import { run } from './run.ts';

export interface HexPackage {
  readonly name: string;
  readonly version: string;
  /** Requirements by name. */
  readonly requires?: Readonly<Record<string, string>>;
}

interface Packed {
  readonly tarball: Buffer;
  /** SHA-256 of what is in it, as the tarball itself has it. */
  readonly inner: Buffer;
}

const fresh = { 'Cache-Control': 'public, max-age=600' };

/** A small Hex repository on loopback, by hexpm's "Repository" specification, signed. */
export class HexRepository {
  readonly origin: HttpOrigin;
  /** PEM of the key that its files are signed with. */
  readonly publicKey: string;
  readonly #key: KeyObject;

  constructor(origin: HttpOrigin) {
    this.origin = origin;
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.publicKey = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    this.#key = privateKey;
  }

  publish(item: HexPackage, packed: Packed): void {
    const { name, version, requires = {} } = item;
    this.serve(item, packed.tarball);
    const dependencies = Object.entries(requires).map(([each, need]) =>
      field(3, Buffer.concat([field(1, each), field(2, need)])),
    );
    const release = [field(1, version), field(2, packed.inner), ...dependencies];
    const outer = field(5, createHash('sha256').update(packed.tarball).digest());
    const payload = Buffer.concat([
      field(1, Buffer.concat([...release, outer])),
      field(2, name),
      field(3, 'mine'),
    ]);
    const signed = [field(1, payload), field(2, sign('sha512', payload, this.#key))];
    const body = gzipSync(Buffer.concat(signed));
    this.origin.serve(`/packages/${name}`, { body, headers: fresh });
  }

  /** Serves these bytes as the tarball, whatever the package's file says of it. */
  serve({ name, version }: HexPackage, body: Buffer): void {
    this.origin.serve(`/tarballs/${name}-${version}.tar`, { body });
  }

  /** Paths asked for so far. */
  targets(): string[] {
    return this.origin.requests.map(({ target }) => target);
  }
}

/** A field of protobuf that has a length. */
function field(number: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  const length: number[] = [];
  for (let left = bytes.length; ; left >>= 7) {
    length.push(left < 0x80 ? left : (left & 0x7f) | 0x80);
    if (left < 0x80) break;
  }
  return Buffer.concat([Buffer.from([number * 8 + 2, ...length]), bytes]);
}

/** The tarball of an Erlang library without modules: hexpm's "Package tarball". */
export async function packed({ name, version, requires = {} }: HexPackage): Promise<Packed> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'src'));
  const dependencies = Object.keys(requires);
  const application = `{application, ${name}, [{vsn, "${version}"}, {applications, [${['kernel', 'stdlib', ...dependencies].join(', ')}]}]}.\n`;
  await writeFile(join(folder, `src/${name}.app.src`), application);
  await writeFile(join(folder, 'rebar.config'), '{deps, []}.\n');
  await run('tar', ['-czf', 'contents.tar.gz', 'src', 'rebar.config'], { cwd: folder });
  const contents = await readFile(join(folder, 'contents.tar.gz'));
  const requirements = Object.entries(requires).map(
    ([each, need]) =>
      `{<<"${each}">>,[{<<"app">>,<<"${each}">>},{<<"optional">>,false},{<<"requirement">>,<<"${need}">>}]}`,
  );
  const metadata = [
    `{<<"name">>,<<"${name}">>}.`,
    `{<<"version">>,<<"${version}">>}.`,
    `{<<"app">>,<<"${name}">>}.`,
    '{<<"build_tools">>,[<<"rebar3">>]}.',
    `{<<"files">>,[<<"src/${name}.app.src">>,<<"rebar.config">>]}.`,
    `{<<"requirements">>,[${requirements.join(',')}]}.`,
    '',
  ].join('\n');
  const inner = createHash('sha256').update(`3${metadata}`).update(contents).digest();
  const files = { VERSION: '3', CHECKSUM: inner.toString('hex').toUpperCase() };
  for (const [file, text] of Object.entries({ ...files, 'metadata.config': metadata })) {
    await writeFile(join(folder, file), text);
  }
  const parts = ['VERSION', 'CHECKSUM', 'metadata.config', 'contents.tar.gz'];
  await run('tar', ['--format=ustar', '-cf', 'package.tar', ...parts], { cwd: folder });
  return { tarball: await readFile(join(folder, 'package.tar')), inner };
}

/** A repository of the running test with these packages. */
export async function hexRepository(
  packages: readonly HexPackage[],
  origin: () => Promise<HttpOrigin> = httpOrigin,
): Promise<HexRepository> {
  const repository = new HexRepository(await origin());
  for (const item of packages) repository.publish(item, await packed(item));
  return repository;
}

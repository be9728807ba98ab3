import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { bytesAt, generatedBody } from '../fixtures/generated-body.ts';
import type { GeneratedPackage } from './package-set.ts';

const block = 512;
const fileSize = 8 * 1024;

/** A package as registries have it. */
export interface Packed {
  readonly tarball: Buffer;
  /** Subresource integrity, SHA-512. */
  readonly integrity: string;
  /** SHA-1, in hexadecimal. */
  readonly shasum: string;
  readonly fileCount: number;
}

/** Packs a package: its `package.json`, and files of text that compresses about as code does. */
export function packed({ name, version, dependencies, size }: GeneratedPackage): Packed {
  const manifest = { name, version, dependencies, main: 'file-0.js' };
  const parts = tarEntry('package/package.json', Buffer.from(JSON.stringify(manifest, null, 2)));
  const body = generatedBody(`${name}@${version}`, Math.ceil(size / 2));
  let fileCount = 1;
  for (let position = 0; position < body.size; ) {
    // Text of two characters for each byte.
    const bytes = bytesAt(body, position, fileSize / 2);
    const text = Buffer.from(bytes.toString('hex'));
    parts.push(...tarEntry(`package/file-${fileCount - 1}.js`, text));
    position += bytes.length;
    fileCount += 1;
  }
  const tarball = gzipSync(Buffer.concat([...parts, Buffer.alloc(2 * block)]), { level: 6 });
  return {
    tarball,
    integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
    shasum: createHash('sha1').update(tarball).digest('hex'),
    fileCount,
  };
}

/** A file in the POSIX ustar format: its header, its bytes, zeros up to the next block. */
function tarEntry(path: string, body: Buffer): Buffer[] {
  const header = Buffer.alloc(block);
  const octal = (value: number, at: number, digits: number): void => {
    header.write(`${value.toString(8).padStart(digits, '0')}\0`, at, 'ascii');
  };
  header.write(path, 0, 'ascii');
  octal(0o644, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(body.length, 124, 11);
  octal(0, 136, 11);
  // The checksum is made with blanks in its own place.
  header.write('        0', 148, 'ascii');
  header.write('ustar\x0000', 257, 'latin1');
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  );
  header.write(' ', 155, 'ascii');
  return [header, body, Buffer.alloc((block - (body.length % block)) % block)];
}

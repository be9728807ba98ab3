import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { unpackedFile } from '../../src/pipeline/unpacked-file.ts';

const text = `Package: nail\nFilename: pool/main/n/nail_1_all.deb\nSHA256: ${'0'.repeat(63)}7\n`;
/** The same by `xz -9` of XZ Utils 5.4. */
const xz = Buffer.from(
  '/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4AB7AEFdACgYSGbb2jCF/hbq55ZNXweCfr/wBOFU3vsqc9B7N7SO5DyTCJ9B7oIFHdDA9BzDNsuGlf2gb22vA07bC9/DKKAAAAAAAHFizs2qVtv5AAFdfCWrIHYftvN9AQAAAAAEWVo=',
  'base64',
);

/** What the bytes unpack to, given in pieces. */
async function unpacked(bytes: Uint8Array, size: number): Promise<Buffer> {
  const pieces = async function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  };
  const chunks: Uint8Array[] = [];
  for await (const chunk of unpackedFile(pieces())) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

describe('an index file', () => {
  test.each([
    ['gzip', gzipSync(text)],
    ['Zstandard', zstdCompressSync(text)],
    ['xz', xz],
    ['no compression', Buffer.from(text)],
    ['no bytes', Buffer.alloc(0)],
  ])('with %s is read', async (what, bytes) => {
    for (const size of [6, 64, 4096]) {
      expect((await unpacked(bytes, size)).toString()).toBe(what === 'no bytes' ? '' : text);
    }
  });

  test.each([
    ['gzip', gzipSync(text)],
    ['xz', xz],
  ])('that is cut off or broken is an error: %s', async (_what, bytes) => {
    await expect(unpacked(bytes.subarray(0, 60), 16)).rejects.toThrow();
    const broken = Buffer.from(bytes);
    broken.fill(0xff, 20, 40);
    await expect(unpacked(broken, 16)).rejects.toThrow();
  });

  test('that unpacks to much more than any index is a trap', async () => {
    const bomb = zstdCompressSync(Buffer.alloc(100 * 2 ** 20));
    await expect(unpacked(bomb, 4096)).rejects.toMatchObject({ code: 'http_protocol_error' });
  });
});

import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BodyReader } from '../../src/core/body.ts';
import type { Rewriter } from '../../src/core/classification.ts';
import { decodedDocument, rewriteStream } from '../../src/pipeline/rewrite-stream.ts';
import { generatedBytes } from '../support/generated-bytes.ts';

/** Bytes in chunks of that size, each overwritten once the next one is asked for. */
function readerOf(bytes: Uint8Array, step: number): BodyReader & { closed: boolean } {
  let at = 0;
  let given: Buffer | undefined;
  return {
    closed: false,
    async next() {
      given?.fill(0x78);
      if (at >= bytes.length) return undefined;
      given = Buffer.from(bytes.subarray(at, at + step));
      at += step;
      return given;
    },
    close() {
      this.closed = true;
    },
  };
}

/** Makes each `a` a `b`, and says at the end that it was told of it. */
function marking(): Rewriter {
  const mark = (chunk: Uint8Array): Buffer =>
    Buffer.from(Buffer.from(chunk).toString('latin1').replaceAll('a', 'b'), 'latin1');
  return { push: (chunk) => [mark(chunk)], end: () => [Buffer.from('!')] };
}

async function collected(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}

/** Text of a size that packs to about half of it. */
function textOf(size: number): Buffer {
  return Buffer.from(generatedBytes('text', 0, Math.ceil(size / 2)).toString('hex')).subarray(
    0,
    size,
  );
}

describe('a packed document', () => {
  // Around the bounds of what is handled at once: 64 KiB packed, 256 KiB unpacked.
  const sizes = [0, 1, 5_000, 110_000, 130_000, 140_000, 262_144, 262_145, 600_000];

  test.each(sizes)('of %i bytes is rewritten alike wherever it is cut', async (size) => {
    const text = textOf(size);
    const packed = gzipSync(text);
    const expected = `${text.toString('latin1').replaceAll('a', 'b')}!`;
    for (const step of [1_000, 65_536, 1_000_000]) {
      for (const gzip of [true, false]) {
        const document = readerOf(packed, step);
        const out = await collected(rewriteStream(document, marking(), { gunzip: true, gzip }));
        expect((gzip ? gunzipSync(out) : out).toString('latin1')).toBe(expected);
        expect(document.closed).toBe(true);
      }
      const read = await collected(decodedDocument(readerOf(packed, step), true));
      expect(read.equals(text)).toBe(true);
    }
  });

  test('that packs very well is no less whole', async () => {
    const text = Buffer.alloc(4_000_000, 'a');
    const document = readerOf(gzipSync(text), 500);
    const out = await collected(rewriteStream(document, marking(), { gunzip: true, gzip: true }));
    expect(
      gunzipSync(out).equals(Buffer.concat([Buffer.alloc(4_000_000, 'b'), Buffer.from('!')])),
    ).toBe(true);
  });

  test('of nothing at all stays that', async () => {
    const stream = rewriteStream(readerOf(Buffer.alloc(0), 1), marking(), {
      gunzip: true,
      gzip: false,
    });
    expect((await collected(stream)).toString()).toBe('!');
  });

  test('that is cut off or is none is an error of the upstream, and closed', async () => {
    for (const size of [2_000, 600_000]) {
      const packed = gzipSync(textOf(size));
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: packed.length - 1 }), async (length) => {
          const document = readerOf(packed.subarray(0, length), 40_000);
          const stream = rewriteStream(document, marking(), { gunzip: true, gzip: true });
          await expect(collected(stream)).rejects.toMatchObject({ code: 'http_protocol_error' });
          expect(document.closed).toBe(true);
        }),
        { numRuns: 20 },
      );
    }
    const none = readerOf(Buffer.from('this is not gzip'), 5);
    await expect(
      collected(rewriteStream(none, marking(), { gunzip: true, gzip: false })),
    ).rejects.toMatchObject({ code: 'http_protocol_error' });
  });
});

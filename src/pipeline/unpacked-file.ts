import { createRequire } from 'node:module';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { XzReadableStream } from 'xz-decompress';
import { GatewayError } from '../core/errors.ts';
import { through } from './rewrite-stream.ts';

// It is a CommonJS module whose names Node cannot tell.
const { XzReadableStream: Xz } = createRequire(import.meta.url)('xz-decompress') as {
  readonly XzReadableStream: typeof XzReadableStream;
};

/** No index unpacks to more. */
const maxBytes = 1024 * 1024 * 1024;
/** As a document's content coding: what packs better is a trap. */
const maxRatio = 200;
const unsuspectedBytes = 64 * 1024 * 1024;

type Unpack = (packed: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

/** By the bytes with which a file begins: RFC 1952 2.3.1, RFC 8878 3.1.1, "The .xz File Format" 2.1.1.1. */
const compressions: readonly (readonly [string, Unpack])[] = [
  ['1f8b', (packed) => through(packed, createGunzip())],
  ['28b52ffd', (packed) => through(packed, createZstdDecompress())],
  ['fd377a585a00', (packed) => new Xz(ReadableStream.from(inTurns(packed)))],
];

/** Bytes that are unpacked in one turn of the event loop: some milliseconds' worth. */
const turnBytes = 16 * 1024;

/** Small pieces, one in each turn: xz is undone on this thread, and others want to be served. */
async function* inTurns(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += turnBytes) {
      yield chunk.subarray(at, at + turnBytes);
      await nextTurn();
    }
  }
}

/**
 * A file's bytes with its compression undone (gzip, Zstandard, xz), as it is without one of these.
 * Throws what the decompressors throw, and a GatewayError (`http_protocol_error`) where it unpacks to
 * many more bytes than any index.
 */
export async function* unpackedFile(file: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = file[Symbol.asyncIterator]();
  const { value: first } = await chunks.next();
  if (first === undefined) return;
  let packedBytes = 0;
  const packed = async function* (): AsyncGenerator<Uint8Array> {
    for (let chunk: Uint8Array | undefined = first; chunk; chunk = (await chunks.next()).value) {
      packedBytes += chunk.length;
      yield chunk;
    }
  };
  const start = Buffer.from(first.buffer, first.byteOffset, first.byteLength).toString('hex', 0, 6);
  const [, unpack] = compressions.find(([magic]) => start.startsWith(magic)) ?? [];
  let bytes = 0;
  for await (const chunk of unpack ? unpack(packed()) : packed()) {
    bytes += chunk.length;
    const isTrap = unpack && bytes > unsuspectedBytes && bytes > maxRatio * packedBytes;
    if (bytes > maxBytes || isTrap) {
      throw new GatewayError('http_protocol_error', 'an index that unpacks to too much', {
        origin: 'upstream',
      });
    }
    yield chunk;
  }
}

import { pipeline, type Transform } from 'node:stream';
import { createGunzip, createGzip, gunzipSync, gzipSync, constants as zlib } from 'node:zlib';
import type { BodyReader } from '../core/body.ts';
import type { Rewriter } from '../core/classification.ts';
import { GatewayError } from '../core/errors.ts';
import { fieldValue, type RawHeaders, withoutFields } from '../core/raw-headers.ts';
import { acceptsCoding } from '../policy/content-coding.ts';

/** A document that unpacks to more than this is not a document. */
const maxDocumentBytes = 512 * 1024 * 1024;

/** No document packs better than this once it is so large: what does is a trap ("gzip bomb"). */
const maxRatio = 200;
const unsuspectedBytes = 64 * 1024 * 1024;

/**
 * A document that is packed in no more than this, and into which no more than that unpacks, is handled at
 * once when it is all there: most are so, and a stream through zlib's threads costs them ten times as much.
 */
const smallPackedBytes = 64 * 1024;
const smallBytes = 256 * 1024;

// Made once a version and sent many times, but on a serving core: speed before the last percent.
const level = zlib.Z_BEST_SPEED + 2;

/** What happens to a document's bytes on their way through a rewriting. */
export interface Codings {
  readonly gunzip: boolean;
  readonly gzip: boolean;
}

/**
 * How to read and write a document with these fields for a client with those. Throws a GatewayError
 * (`http_protocol_error`) for a coding that cannot be read.
 */
export function codingsFor(document: RawHeaders, request: RawHeaders): Codings {
  const coding = fieldValue(document, 'content-encoding')?.trim().toLowerCase() ?? 'identity';
  if (coding === 'identity') return { gunzip: false, gzip: false };
  if (coding !== 'gzip' && coding !== 'x-gzip') {
    throw failure(`cannot rewrite a document encoded as ${coding}`);
  }
  return { gunzip: true, gzip: acceptsCoding(fieldValue(request, 'accept-encoding'), 'gzip') };
}

/** The document's bytes after the rewriting. Throws a GatewayError where it is not what it claims. */
export async function* rewriteStream(
  document: BodyReader,
  rewriter: Rewriter,
  { gunzip, gzip }: Codings,
): AsyncGenerator<Uint8Array> {
  try {
    const start = gunzip ? await startOf(document) : undefined;
    const small = start && unpackedAtOnce(start);
    if (small) {
      const bytes = Buffer.concat([...rewriter.push(small), ...rewriter.end()]);
      yield gzip ? gzipSync(bytes, { level }) : bytes;
      return;
    }
    const decoded = start ? unpacked(start, document) : chunksOf(document);
    const rewritten = rewrite(decoded, rewriter);
    yield* gzip ? through(rewritten, createGzip({ level })) : rewritten;
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    throw failure('the document could not be unpacked', error);
  } finally {
    document.close();
  }
}

/**
 * A document's bytes without its content coding; the caller closes the reader. Throws a GatewayError
 * (`http_protocol_error`) where they are many more than any document's.
 */
export async function* decodedDocument(
  document: BodyReader,
  gunzip: boolean,
): AsyncGenerator<Uint8Array> {
  const start = gunzip ? await startOf(document) : undefined;
  const small = start && unpackedAtOnce(start);
  if (small) yield small;
  else yield* start ? unpacked(start, document) : chunksOf(document);
}

/** What has been read of a document. */
interface Start {
  readonly chunks: readonly Uint8Array[];
  /** That is all of it. */
  readonly ended: boolean;
}

/** All of a small document, else the first part of it. */
async function startOf(document: BodyReader): Promise<Start> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunksOf(document)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > smallPackedBytes) return { chunks, ended: false };
  }
  return { chunks, ended: true };
}

/** What a small document unpacks to; undefined where it is not so small. */
function unpackedAtOnce({ chunks, ended }: Start): Buffer | undefined {
  if (!ended) return undefined;
  if (chunks.length === 0) return Buffer.alloc(0);
  try {
    return gunzipSync(Buffer.concat(chunks), { maxOutputLength: smallBytes });
  } catch (error) {
    if (error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
      return undefined;
    }
    throw error;
  }
}

async function* unpacked(start: Start, document: BodyReader): AsyncGenerator<Uint8Array> {
  let [before, after] = [0, 0];
  const packed = async function* (): AsyncGenerator<Uint8Array> {
    for (const chunk of start.chunks) {
      before += chunk.length;
      yield chunk;
    }
    for await (const chunk of chunksOf(document)) {
      before += chunk.length;
      yield chunk;
    }
  };
  for await (const chunk of through(packed(), createGunzip())) {
    after += chunk.length;
    if (after > unsuspectedBytes && after > maxRatio * before) {
      throw failure(`a document that unpacks to more than ${maxRatio} times its size`);
    }
    yield chunk;
  }
}

/** Fields that speak of the original bytes. */
const ofTheBytes: ReadonlySet<string> = new Set([
  'etag',
  'content-length',
  'content-encoding',
  'content-md5',
  'digest',
  'content-digest',
  'repr-digest',
  'accept-ranges',
]);

/** A document's fields without what its rewriting made untrue. */
export function rewrittenFields(document: RawHeaders, { gzip }: Codings): string[] {
  const fields = [...withoutFields(document, ofTheBytes)];
  if (gzip) fields.push('Content-Encoding', 'gzip');
  return fields;
}

async function* rewrite(
  document: AsyncIterable<Uint8Array>,
  rewriter: Rewriter,
): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const chunk of document) {
    total += chunk.length;
    if (total > maxDocumentBytes)
      throw failure(`a document of more than ${maxDocumentBytes} bytes`);
    yield* rewriter.push(chunk);
  }
  yield* rewriter.end();
}

/** The reader's chunks, each the consumer's own: the stages hold on to them. */
async function* chunksOf(reader: BodyReader): AsyncGenerator<Uint8Array> {
  for (let chunk = await reader.next(); chunk; chunk = await reader.next())
    yield Buffer.from(chunk);
}

/** What the stage makes of the source. Whoever stops early ends both. */
export function through(
  source: AsyncIterable<Uint8Array>,
  stage: Transform,
): AsyncIterable<Uint8Array> {
  // What goes wrong, on either side, the one who reads the stage hears of.
  pipeline(source, stage, () => undefined);
  return stage;
}

function failure(message: string, cause?: unknown): GatewayError {
  return new GatewayError('http_protocol_error', message, { origin: 'upstream', cause });
}

/** A reader of bytes that are made on demand. */
export function readerOf(bytes: AsyncGenerator<Uint8Array>, close: () => void): BodyReader {
  return {
    async next() {
      for (;;) {
        const { value, done } = await bytes.next();
        if (done) return undefined;
        if (value.length > 0) return value;
      }
    },
    close,
  };
}

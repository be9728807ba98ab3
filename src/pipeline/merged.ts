import { createHash } from 'node:crypto';
import type { Merge } from '../core/classification.ts';
import { GatewayError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { CacheOutcome } from '../core/outcome.ts';
import { withoutFields } from '../core/raw-headers.ts';
import type { RequestRecord } from '../core/request-record.ts';
import { repositoriesOf } from '../upstream/repositories.ts';
import { type Answer, answerFrom, type Representation } from './answer.ts';
import { downloadOf } from './download-of.ts';
import type { Resource } from './resource.ts';
import { readerOf } from './rewrite-stream.ts';

/** A larger one is none that could be merged. */
const maxDocumentBytes = 8 * 1024 * 1024;

export interface MergedOptions {
  /** The answer to a resource as it is. */
  readonly answer: (resource: Resource, record: RequestRecord) => Promise<Answer>;
  readonly log: Logger;
  readonly now: () => number;
}

/** How the resource is put together, where a client of the mount is to get it from several places. */
export function mergeOf({ classification, request, repositories }: Resource): Merge | undefined {
  if (classification.kind !== 'index' || repositories !== true) return undefined;
  // Whoever asks by a repository's own URL wants that one's own document.
  if (request.publicBase === undefined || request.upstreams.length < 2) return undefined;
  return request.method === 'GET' || request.method === 'HEAD' ? classification.merge : undefined;
}

/**
 * The answer that is made of the documents of all repositories that have one, each from the cache as
 * ever. One that fails is the answer: what it has might be what the client must not miss.
 */
export async function mergedAnswer(
  { answer, log, now }: MergedOptions,
  resource: Resource,
  merge: Merge,
  record: RequestRecord,
): Promise<Answer> {
  const { request } = resource;
  const parts = await Promise.all(
    partsOf(resource, merge).map(async (part) => {
      const own = { ...record };
      const whole = await inMemory(await answer(part, own));
      return { ...whole, record: own };
    }),
  );
  const found = parts.filter(({ answer: { status } }) => status === 200);
  const failed = parts.find(({ answer: { status } }) => ![200, 404, 410].includes(status));
  const [first] = found;
  if (!first || failed) {
    const said = failed ?? parts[0];
    if (!said) throw new Error('a mount without upstreams');
    Object.assign(record, said.record);
    const isHead = request.method === 'HEAD';
    return isHead ? { ...said.answer, body: { kind: 'none' } } : said.answer;
  }
  Object.assign(record, costliest(found.map((each) => each.record)));
  const documents = found.map(({ bytes }) => bytes);
  const merged = found.length > 1 ? merge.merge(documents) : first.bytes;
  if (!merged) log.warn({ url: request.url }, 'not merged: one is not what it should be');
  const bytes = merge.present(merged ?? first.bytes);
  const whole = await answerFrom(request, representationOf(bytes, merge, now()));
  // The document was made here: a failed precondition is final. RFC 9110 section 13.2.2.
  return whole ?? { status: 412, headers: ['Content-Length', '0'], body: { kind: 'none' } };
}

/** The document in each of the repositories. */
function partsOf(resource: Resource, { suffix }: Merge): readonly Resource[] {
  const { request } = resource;
  const whole = { ...resource, request: { ...request, url: without(suffix, request.url) } };
  return repositoriesOf(downloadOf(whole)).map(({ url, upstreams, headers }) => ({
    ...resource,
    repositories: false,
    request: {
      ...request,
      method: 'GET',
      url,
      upstreams,
      headers: withoutFields(headers, ofTheClient),
    },
  }));
}

/** Conditions and ranges are about what is merged. */
const ofTheClient: ReadonlySet<string> = new Set([
  'range',
  'if-range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'accept-encoding',
]);

function without(suffix: string, url: string): string {
  return suffix === '' ? url : url.slice(0, -suffix.length);
}

/** The same answer with its body in memory. */
async function inMemory(answer: Answer): Promise<{ answer: Answer; bytes: Uint8Array }> {
  const { body } = answer;
  if (body.kind === 'none') return { answer, bytes: new Uint8Array() };
  if (body.kind === 'bytes') return { answer, bytes: body.bytes };
  const chunks: Buffer[] = [];
  let total = 0;
  try {
    for (let chunk = await body.reader.next(); chunk; chunk = await body.reader.next()) {
      total += chunk.length;
      if (total > maxDocumentBytes) {
        const message = `a document of more than ${maxDocumentBytes} bytes cannot be merged`;
        throw new GatewayError('http_protocol_error', message, { origin: 'upstream' });
      }
      // The reader's chunk is not ours to keep.
      chunks.push(Buffer.from(chunk));
    }
  } finally {
    body.reader.close();
  }
  const bytes = Buffer.concat(chunks);
  return { answer: { ...answer, body: { kind: 'bytes', bytes } }, bytes };
}

const costliestFirst: readonly CacheOutcome[] = [
  'miss',
  'bypass',
  'collapsed',
  'stale',
  'revalidated',
];

/** What it took most to come by says what became of the whole. */
function costliest(parts: readonly RequestRecord[]): RequestRecord | undefined {
  const [most] = costliestFirst.flatMap((each) => parts.filter(({ outcome }) => outcome === each));
  return most ?? parts[0];
}

function representationOf(bytes: Uint8Array, { type }: Merge, now: number): Representation {
  const etag = `"${createHash('sha256').update(bytes).digest('hex')}"`;
  const headers = ['Content-Type', type, 'Cache-Control', 'no-cache', 'ETag', etag];
  const open: Representation['open'] = async (range) => {
    const part = range ? bytes.subarray(range.first, range.last + 1) : bytes;
    async function* once(): AsyncGenerator<Uint8Array> {
      yield part;
    }
    return readerOf(once(), () => undefined);
  };
  return { status: 200, headers, size: bytes.length, responseTime: now, bytes: () => bytes, open };
}

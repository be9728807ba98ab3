import type { ByteRange } from './core/body.ts';
import type { Digest } from './core/digest.ts';
import { GatewayError } from './core/errors.ts';
import { lastGap } from './gateway-get-gap.ts';
import { type SourceFigures, Watch } from './gateway-get-watch.ts';
import { partFields, somePart } from './pipeline/download-of.ts';
import { Fill } from './pipeline/fill.ts';
import { UpstreamFillSource } from './pipeline/fill-source.ts';
import { declaredSize } from './pipeline/framing.ts';
import { checkPart } from './pipeline/part-check.ts';
import { strongEtag } from './policy/conditional.ts';
import type { WriteVector } from './storage/engines/file-io.ts';
import { fileTrouble, openPartFile, type PartFile } from './storage/part-file.ts';
import { findPart, type PartRecord, partPaths, removePart } from './storage/part-record.ts';
import { storageFailed } from './storage/storage-error.ts';
import type { DownloadedResponse, Downloader, DownloadRequest } from './upstream/downloader.ts';
import { retryAfterMs } from './upstream/retry-after.ts';

/** Processes of this host, as far as a download must know them. */
export interface ProcessTable {
  readonly own: number;
  isRunning(pid: number): boolean;
}

export interface FileFetchParts {
  readonly downloader: Downloader;
  readonly processes: ProcessTable;
  /** Instead of the system's. */
  readonly writeVector?: WriteVector;
}

export interface FetchedFile {
  readonly size: number;
  readonly sha256: string;
}

/** How far a download is. */
export interface FileProgress {
  /** Bytes that are there, those of earlier attempts included. */
  readonly received: number;
  /** Undefined before the server has said it, and where it does not. */
  readonly size: number | undefined;
  /** Bytes that an earlier run had brought. */
  readonly resumed: number;
  readonly sources: readonly SourceFigures[];
  /** Bytes that a later run need not ask for, as far as is noted by now. */
  readonly kept: number;
}

/** Where the bytes of an attempt begin to come from, and what is there already. */
interface Beginning {
  readonly response: DownloadedResponse;
  readonly size: number | undefined;
  /** Undefined: the response is the whole. */
  readonly place?: ByteRange;
  readonly ranges: readonly ByteRange[];
}

interface Continued extends PartRecord {
  readonly size: number;
}

/** A process that is at work says so at least this often; milliseconds. */
const silentMs = 30_000;

/** Brings one URL into one file, by attempts that each go on where the one before ended. */
export class FileFetch {
  readonly #parts: FileFetchParts;
  readonly #request: DownloadRequest;
  readonly #target: string;
  readonly #avoid = new Set<string>();
  readonly #watch: Watch;
  #fill: Fill | undefined;
  #part: PartFile | undefined;
  #resumed: number | undefined;
  #responses = 0;
  #alone = false;
  #pauseMs: number | undefined;

  constructor(parts: FileFetchParts, request: DownloadRequest, target: string) {
    this.#parts = parts;
    this.#request = request;
    this.#target = target;
    this.#watch = new Watch(new URL(request.url).origin);
  }

  get digest(): Digest | undefined {
    return this.#request.digest;
  }

  /** How long the server wants to be left alone, as far as it says so; milliseconds. */
  get pauseMs(): number | undefined {
    return this.#pauseMs;
  }

  get progress(): FileProgress {
    return {
      received: this.#fill?.present.bytes ?? 0,
      size: this.#fill?.size,
      resumed: this.#resumed ?? 0,
      sources: this.#watch.figures,
      kept: this.#part?.kept ?? 0,
    };
  }

  /**
   * One attempt; rejects with a GatewayError: of origin `storage` where the file cannot be written,
   * `digest_mismatch` where it is another one, with `receivedStatus` where the server said no.
   * Whatever can be continued is kept in the part.
   */
  async attempt(signal: AbortSignal): Promise<FetchedFile> {
    this.#pauseMs = undefined;
    const beginning = await this.#begin(await this.#left(), signal);
    let part: PartFile;
    try {
      part = await openPartFile({
        target: this.#target,
        record: this.#record(beginning),
        ranges: beginning.ranges,
        ...(this.#parts.writeVector && { writeVector: this.#parts.writeVector }),
      });
    } catch (error) {
      beginning.response.abort();
      throw error;
    }
    this.#part = part;
    return this.#bring(beginning, part, signal);
  }

  /**
   * Forgets what came, because as a whole it was not what it must be. Whether another attempt, by the
   * origin alone and over one connection, may tell more.
   */
  async startOver(): Promise<boolean> {
    await removePart(this.#target);
    const mirrored = this.#watch.demoteMirrors('wrong-bytes');
    const pieced = this.#responses > 1 || (this.#resumed ?? 0) > 0;
    if (this.#alone || !(mirrored || pieced)) return false;
    this.#alone = true;
    return true;
  }

  async #bring(beginning: Beginning, part: PartFile, signal: AbortSignal): Promise<FetchedFile> {
    const { response, place, size, ranges } = beginning;
    let trouble: unknown;
    const fill = new Fill({
      key: this.#target,
      size,
      partial: part,
      present: ranges,
      meta: (body) => ({ ...emptyMeta, body }),
      onFailure: (error) => {
        trouble ??= error;
      },
      ...(this.#request.digest && { digest: this.#request.digest }),
    });
    this.#fill = fill;
    this.#resumed ??= fill.present.bytes;
    const stop = (): void => fill.fail(interrupted());
    signal.addEventListener('abort', stop, { once: true });
    if (size !== undefined && fill.present.bytes === size && place !== undefined) {
      response.abort();
      void fill.finish();
    } else {
      this.#connect(fill, beginning, signal);
    }
    fill.release();
    if (signal.aborted) stop();
    const stored = await fill.settled;
    signal.removeEventListener('abort', stop);
    await part.discard();
    if (stored !== undefined) return stored.body;
    if (trouble !== undefined) throw fileTrouble(trouble);
    throw fill.failure ?? storageFailed('the file could not be put in its place');
  }

  #connect(fill: Fill, { response, place, size }: Beginning, signal: AbortSignal): void {
    const { downloader } = this.#parts;
    const { headers } = this.#request;
    const of = size === undefined ? {} : { size };
    const some = (etag: string | undefined): DownloadRequest => {
      return { ...this.#request, ...of, headers: [...headers, ...partFields(somePart, etag)] };
    };
    let connections: number | undefined;
    const refetch = {
      part: async (range: ByteRange, etag: string | undefined) => {
        const fields = [...headers, ...partFields(range, etag)];
        return this.#watch.over(await this.#send({ ...of, headers: fields }, signal));
      },
      whole: async () => this.#watch.over(await this.#send(of, signal)),
      next: (etag: string | undefined) => downloader.next(some(etag)),
      connections: (etag: string | undefined) => {
        if (this.#alone) return 1;
        connections ??= downloader.connections(some(etag));
        return connections;
      },
      now: () => performance.now(),
    };
    new UpstreamFillSource(fill, this.#watch.over(response), refetch, place);
  }

  #record({ response, size }: Beginning): Omit<PartRecord, 'ranges'> {
    const { url, digest } = this.#request;
    const etag = strongEtag(response.headers);
    return {
      url,
      pid: this.#parts.processes.own,
      ...(etag !== undefined && { etag }),
      ...(size !== undefined && { size }),
      ...(digest && { digest }),
    };
  }

  /** What an earlier attempt left that may be continued. */
  async #left(): Promise<Continued | undefined> {
    const found = await findPart(this.#target).catch((error: unknown) => {
      throw fileTrouble(error);
    });
    if (found === 'none') return undefined;
    const { part } = partPaths(this.#target);
    if (found === 'foreign') throw storageFailed(`${part} is there, and no download's: remove it`);
    const { record, touchedAt } = found;
    const { own, isRunning } = this.#parts.processes;
    if (record.pid !== own && isRunning(record.pid) && Date.now() - touchedAt < silentMs) {
      throw storageFailed(`process ${record.pid} is at work at ${part}`);
    }
    const { size, etag, url, digest, ranges } = record;
    const wanted = this.#request.digest;
    const proven = wanted !== undefined && wanted.hex === digest?.hex;
    const same = proven || (etag !== undefined && url === this.#request.url);
    return same && size !== undefined && ranges.length > 0 ? { ...record, size } : undefined;
  }

  /** The first response: the rest of what is there, or the whole. */
  async #begin(left: Continued | undefined, signal: AbortSignal): Promise<Beginning> {
    const rest = left && (await this.#askRest(left, signal));
    if (rest !== undefined && 'place' in rest) return rest;
    const response = rest?.response ?? (await this.#send({}, signal));
    if (response.status !== 200) throw this.#refused(response);
    return { response, size: declaredSize(response.headers), ranges: [] };
  }

  /** Undefined: the rest is not to be had; without a place: the whole came instead. */
  async #askRest(left: Continued, signal: AbortSignal): Promise<Beginning | undefined> {
    const { size, etag, ranges } = left;
    const gap = lastGap(ranges, size);
    const isChecked = this.#request.digest !== undefined;
    // Without a digest only the origin says whether the representation is still the same: no mirror
    // is asked for a range without an end.
    const asked = isChecked ? gap : { first: gap.first, last: size - 1 };
    const range = isChecked
      ? partFields(asked, etag)
      : ['Range', `bytes=${gap.first}-`, 'If-Range', etag as string];
    const headers = [...this.#request.headers, ...range];
    const response = await this.#send({ size, headers }, signal);
    const place = checkPart(asked, response, { etag, size, isChecked });
    if (!(place instanceof Error)) return { response, size, place, ranges };
    if (response.status === 200) return { response, size, ranges: [] };
    if (response.status !== 206 && response.status !== 416) throw this.#refused(response);
    response.abort();
    return undefined;
  }

  #send(more: Partial<DownloadRequest>, signal: AbortSignal): Promise<DownloadedResponse> {
    this.#responses += 1;
    const request = this.#alone ? originAlone(this.#request) : this.#request;
    return this.#parts.downloader.fetch({ ...request, avoid: this.#avoid, ...more }, signal);
  }

  #refused(response: DownloadedResponse): GatewayError {
    const { status, headers } = response;
    response.abort();
    this.#pauseMs = retryAfterMs(headers, Date.now());
    return new GatewayError('destination_unavailable', `the server answered ${status}`, {
      origin: 'upstream',
      receivedStatus: status,
      retryable: passing.has(status),
    });
  }
}

/** What nothing proves, and what may change, comes from nobody else. */
function originAlone({ digest: _, ...request }: DownloadRequest): DownloadRequest {
  return { ...request, upstreams: request.upstreams.slice(0, 1), order: 'configured' };
}

/** Statuses after which the same request may well succeed. */
const passing: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

const emptyMeta = { status: 200, headers: [], vary: [], requestTime: 0, responseTime: 0 };

function interrupted(): GatewayError {
  return new GatewayError('client_gone', 'interrupted', { origin: 'client' });
}

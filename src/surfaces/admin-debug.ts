import type { IncomingMessage, ServerResponse } from 'node:http';
import { BlockList } from 'node:net';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { sendProblem } from './admin-reply.ts';

/** Looks into this process. */
export interface Profiler {
  /** Samples where the time goes until `stop`, whose result is written as JSON. */
  startCpuProfile(): Promise<{ stop(): Promise<object> }>;
  /** JSON, piece by piece. */
  heapSnapshot(): Promise<Readable>;
}

export interface AdminDebugOptions {
  readonly profiler: Profiler;
  /** Waits for so many milliseconds; rejects when the signal comes first. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

const usualSeconds = 10;
const mostSeconds = 60;

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Profiles of this process for whoever sits at its machine, one at a time. */
export class AdminDebug {
  readonly #profiler: Profiler;
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<unknown>;
  #busy = false;

  constructor({
    profiler,
    wait = (ms, signal) => delay(ms, undefined, { signal }),
  }: AdminDebugOptions) {
    this.#profiler = profiler;
    this.#wait = wait;
  }

  /** `/debug/cpu-profile?seconds=10`: where the time went meanwhile; it ends when the client leaves. */
  async cpuProfile(response: ServerResponse, query: string): Promise<void> {
    const seconds = secondsOf(query);
    if (seconds === undefined) {
      const detail = `Give ?seconds=<1 to ${mostSeconds}>, or nothing for ${usualSeconds}.`;
      return sendProblem(response, 400, detail);
    }
    await this.#alone(response, async () => {
      const left = new AbortController();
      const leave = (): void => left.abort();
      response.once('close', leave);
      const profile = await this.#profiler.startCpuProfile();
      let result: object;
      try {
        await this.#wait(seconds * 1000, left.signal);
      } catch (error) {
        // The client has gone: there is nobody left to answer.
        if (!left.signal.aborted) throw error;
      } finally {
        response.off('close', leave);
        result = await profile.stop();
      }
      if (left.signal.aborted) return;
      response.writeHead(200, fieldsOf('millrace.cpuprofile'));
      response.end(JSON.stringify(result));
    });
  }

  /** `/debug/heap-snapshot`: all objects; the process stands still while it is taken. */
  async heapSnapshot(response: ServerResponse): Promise<void> {
    await this.#alone(response, async () => {
      response.writeHead(200, fieldsOf('millrace.heapsnapshot'));
      // RFC 9110 section 9.3.2: a HEAD has no content, and costs nobody a standstill.
      if (response.req.method === 'HEAD') response.end();
      else await pipeline(await this.#profiler.heapSnapshot(), response);
    });
  }

  async #alone(response: ServerResponse, work: () => Promise<void>): Promise<void> {
    const distance = denyFromAfar(response.req);
    if (distance !== undefined) return sendProblem(response, 403, distance);
    if (this.#busy) return sendProblem(response, 409, 'A profile is being taken: one at a time.');
    this.#busy = true;
    try {
      await work();
    } catch (error) {
      // A client that leaves in the middle of a snapshot is no failure.
      if (!response.destroyed) throw error;
    } finally {
      this.#busy = false;
    }
  }
}

/** A profile holds secrets: why this client, or one behind a proxy on this machine, gets none. */
export function denyFromAfar({
  socket,
  headers,
}: Pick<IncomingMessage, 'socket' | 'headers'>): string | undefined {
  const address = socket.remoteAddress ?? '';
  const family = address.includes(':') ? 'ipv6' : 'ipv4';
  const forwarded = headers.forwarded ?? headers['x-forwarded-for'] ?? headers.via;
  if (forwarded === undefined && loopback.check(address, family)) return undefined;
  return 'Profiles are served to this machine itself only: ask over its loopback address, without a proxy.';
}

/** Undefined for what is no usable number of seconds. */
function secondsOf(query: string): number | undefined {
  if (query === '') return usualSeconds;
  const seconds = Number(/^seconds=(\d{1,3})$/.exec(query)?.[1]);
  return seconds >= 1 && seconds <= mostSeconds ? seconds : undefined;
}

function fieldsOf(name: string): Readonly<Record<string, string>> {
  return {
    'Content-Type': 'application/json',
    'Content-Disposition': `attachment; filename="${name}"`,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  };
}

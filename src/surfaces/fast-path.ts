import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { ArtifactMeta } from '../core/artifact-meta.ts';
import { LookupCounter } from '../core/cache-lookups.ts';
import type { Resource } from '../pipeline/resource.ts';
import { FastConnection, type FastShared } from './fast-connection.ts';
import type { Answered, Routing } from './gateway-handler.ts';
import { HitMemo } from './hit-memo.ts';
import { defaultTimes, type ListenerTimes } from './listener-times.ts';
import { type HitContext, type HotStore, PreparedHit } from './prepared-hit.ts';
import { takeRangeField } from './range-field.ts';
import type { ResponseFields } from './response-fields.ts';
import { SharedReading } from './shared-reading.ts';
import { indifferentFields, judgeFields } from './simple-fields.ts';

export interface FastPathOptions {
  readonly store: HotStore;
  readonly fields: ResponseFields;
  readonly routing: () => Routing;
  readonly now: () => number;
  readonly telemetry: HitContext['telemetry'];
  readonly times?: ListenerTimes;
}

/** As much as Node reads at once. */
const readBytes = 64 * 1024;

/** Node waits so much longer than it says: its default. */
const keepAliveBufferMs = 1_000;

/**
 * Answers requests that mean the same as one that was answered from memory before, without reading
 * them again: what the ordinary path said is repeated for as long as it would say so.
 */
export class FastPath {
  /** Of requests on connections that it reads. */
  readonly lookups = new LookupCounter('prepared');
  readonly #options: FastPathOptions;
  readonly #connections = new WeakMap<Duplex, FastConnection>();
  readonly #shared: FastShared;
  readonly #ending: string;
  #memo: HitMemo<Routing>;

  constructor(options: FastPathOptions) {
    const { routing, now, times = defaultTimes } = options;
    this.#options = options;
    this.#memo = new HitMemo(routing());
    this.#ending = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(times.keepAlive / 1000)}\r\n\r\n`;
    this.#shared = {
      memo: () => this.#current(),
      lookups: this.lookups,
      now,
      reading: new SharedReading(readBytes),
      stalledMs: times.stalled,
      idleMs: times.keepAlive + keepAliveBufferMs,
    };
  }

  /** Takes a connection that the HTTP server has just taken. */
  take(socket: Socket): void {
    if (socket instanceof TLSSocket) return;
    this.#connections.set(socket, new FastConnection(socket, this.#shared));
  }

  /** Whether an answer is under way on the connection of which the HTTP server does not know. */
  sends(socket: Duplex): boolean {
    return this.#connections.get(socket)?.sends === true;
  }

  /** A request came out of the parser. */
  took(socket: Socket, response: ServerResponse): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    this.lookups.count(false);
    connection.took(response);
  }

  /** Learns how a hit is answered. */
  readonly learn = ({ request, routing, resource, answer, record }: Answered): void => {
    const { stored } = answer;
    const memo = this.#current();
    if (stored === undefined || routing !== memo.era || request.httpVersion !== '1.1') return;
    const connection = this.#connections.get(request.socket);
    if (connection === undefined || isForEach(resource)) return;
    const headers = takeRangeField(request.rawHeaders)?.fields ?? request.rawHeaders;
    const verdict = judgeFields(headers);
    if (verdict.kind !== 'plain') return;
    const { store, fields, telemetry } = this.#options;
    const variants = store.peek(resource.request.url);
    if (variants === undefined || !variants.every(isIndifferent)) return;
    const line = `${request.method} ${request.url} HTTP/1.1`;
    if (memo.find(line, verdict.signature)?.isOf(variants) === true) {
      connection.begin();
      return;
    }
    const hit = PreparedHit.of(
      { store, fields, telemetry, ending: this.#ending },
      { resource: withoutRange(resource), answer, stored, variants, record },
    );
    if (hit === undefined) return;
    memo.learn(line, verdict.signature, hit);
    connection.begin();
  };

  #current(): HitMemo<Routing> {
    const routing = this.#options.routing();
    if (this.#memo.era !== routing || this.#memo.full) this.#memo = new HitMemo(routing);
    return this.#memo;
  }
}

/** Whether it matters who is given it, or what that client was given before. */
function isForEach({ classification }: Resource): boolean {
  if (classification.kind !== 'index') return false;
  const { names, pinnedBy, fits } = classification;
  return names === true || pinnedBy !== undefined || fits !== undefined;
}

/** What is prepared answers requests for the whole and for ranges. */
function withoutRange(resource: Resource): Resource {
  const { request } = resource;
  const headers = takeRangeField(request.headers)?.fields;
  return headers ? { ...resource, request: { ...request, headers } } : resource;
}

/** Whether none of the fields that are not looked at decides on this response. */
function isIndifferent({ vary }: ArtifactMeta): boolean {
  return vary.every(([name]) => name !== 'range' && !indifferentFields.has(name));
}

import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { ArtifactMeta } from '../core/artifact-meta.ts';
import { LookupCounter } from '../core/cache-lookups.ts';
import type { RawHeaders } from '../core/raw-headers.ts';
import type { Resource } from '../pipeline/resource.ts';
import { FastConnection } from './fast-connection.ts';
import type { FastShared, Looked } from './fast-shared.ts';
import type { Answered, GatewayHandler, Routed, Routing } from './gateway-handler.ts';
import type { HotStore } from './held-source.ts';
import { HitMemo, type PlainFields } from './hit-memo.ts';
import { defaultTimes, type ListenerTimes } from './listener-times.ts';
import { type HitContext, PreparedHit } from './prepared-hit.ts';
import { takeRangeField } from './range-field.ts';
import type { ResponseFields } from './response-fields.ts';
import { SharedReading } from './shared-reading.ts';
import { indifferentFields, judgeFields } from './simple-fields.ts';
import { partsOf } from './simple-heads.ts';

export interface FastPathOptions {
  readonly store: HotStore;
  /** Who answers what is not known here. */
  readonly handler: () => Pick<GatewayHandler, 'look' | 'atHand'>;
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
 * Answers requests from memory without Node's HTTP server: what the ordinary path would say is made
 * once, and repeated to all that mean the same for as long as it would say so.
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
      look: (socket, line, fields) => this.#look(socket, line, fields),
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

  /** A request came out of the parser; where it leads, if that is known. */
  took(socket: Socket, response: ServerResponse): Routed | undefined {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return undefined;
    this.lookups.count(false);
    return connection.took(response);
  }

  /** Learns how a hit is answered. */
  readonly learn = (answered: Answered): void => {
    const { request, routing, answer } = answered;
    const memo = this.#current();
    if (answer.stored === undefined || routing !== memo.era || request.httpVersion !== '1.1')
      return;
    const connection = this.#connections.get(request.socket);
    if (connection === undefined) return;
    const headers = takeRangeField(request.rawHeaders)?.fields ?? request.rawHeaders;
    const verdict = judgeFields(headers);
    if (verdict.kind !== 'plain') return;
    const line = `${request.method} ${request.url} HTTP/1.1`;
    const hit = this.#prepared(answered, memo.find(line, verdict.signature));
    if (hit === undefined) return;
    memo.learn(line, verdict.signature, hit);
    connection.begin();
  };

  #look(socket: Socket, line: string, { headers, hits }: PlainFields): Looked {
    const parts = partsOf(line);
    if (parts === undefined) return {};
    const handler = this.#options.handler();
    const request = { ...parts, httpVersion: '1.1', rawHeaders: headers, socket };
    try {
      const routed = handler.look(request);
      const answered = handler.atHand(request, routed);
      if (!answered || !isSendable(answered.answer.headers)) return { routed };
      const hit = this.#prepared(answered, undefined);
      if (hit !== undefined) this.#memo.add(hits, line, hit);
      return { hit, routed };
    } catch {
      // The ordinary path meets the same, and answers with it.
      return {};
    }
  }

  /** The hit that it is; `known`, where that is still the same. */
  #prepared(answered: Answered, known: PreparedHit | undefined): PreparedHit | undefined {
    const { resource, answer, record } = answered;
    const { store, fields, telemetry } = this.#options;
    const { stored } = answer;
    if (stored === undefined || isForEach(resource)) return undefined;
    const variants = store.peek(resource.request.url);
    if (variants === undefined || !variants.every(isIndifferent)) return undefined;
    if (known?.isOf(variants) === true) return known;
    const context = { store, fields, telemetry, ending: this.#ending };
    const parts = { resource: withoutRange(resource), answer, stored, variants, record };
    return PreparedHit.of(context, parts);
  }

  #current(): HitMemo<Routing> {
    const routing = this.#options.routing();
    if (this.#memo.era !== routing || this.#memo.full) this.#memo = new HitMemo(routing);
    return this.#memo;
  }
}

/** Whether Node's HTTP server takes the fields. */
function isSendable(headers: RawHeaders): boolean {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [name, value] = [headers[i] as string, headers[i + 1] as string];
    if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) return false;
    if (/[^\t -~\x80-\xff]/.test(value)) return false;
  }
  return true;
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

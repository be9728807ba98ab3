import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { LookupCounter } from '../core/cache-lookups.ts';
import type { BodySending } from './body-sending.ts';
import type { HitMemo, HitsByLine, Profile } from './hit-memo.ts';
import { parsedChunk } from './parsed-chunk.ts';
import type { PreparedHit } from './prepared-hit.ts';
import { takeRangeLine } from './range-field.ts';
import { SentAnswers } from './sent-answers.ts';
import type { SharedReading } from './shared-reading.ts';

/** What the connections of a listener have in common. */
export interface FastShared {
  readonly memo: () => HitMemo<unknown>;
  /** What does not come out of the parser was found in the memo. */
  readonly lookups: LookupCounter;
  readonly now: () => number;
  /** What all of them read into. */
  readonly reading: SharedReading;
  /** How long who takes nothing is waited for, and who asks nothing; milliseconds. */
  readonly stalledMs: number;
  readonly idleMs: number;
}

interface Found {
  readonly hits: HitsByLine;
  readonly line: string;
  readonly hit: PreparedHit;
  readonly range?: string | undefined;
}

type OnData = (chunk: Buffer) => void;

/** Of a request of which the parser makes one, whatever becomes of it. */
const requestLine = /^(?:GET|HEAD) (?:http:\/)?\/[!-~]+ HTTP\/1\.1$/;
const headEnd = '\r\n\r\n';

/**
 * Stands between a socket and Node's HTTP parser, from the first hit on. Whole heads that were answered
 * before are answered here, while the parser waits for a request; all others it gets as they came. As
 * soon as there is something of which only a parser can say where it ends, it has the socket to itself.
 */
export class FastConnection {
  readonly #socket: Socket;
  readonly #shared: FastShared;
  /** The parser's listener, while ours is in its place. */
  #ordinary: OnData | undefined;
  #client = '';
  /** Whether the socket reads into the buffer of all. */
  #reads = false;
  /** Requests that came out of the parser. */
  #taken = 0;
  #last: ServerResponse | undefined;
  /** The parser is between two requests: what it was given last were whole ones. */
  #between = false;
  /** Length of the head that the connection began with, if that was all that came with it. */
  #first: number | undefined;
  /** The field lines that came last, and what they mean to which memo. */
  #block = '';
  #profile: Profile | undefined;
  #memo: HitMemo<unknown> | undefined;
  /** What a head with that block ends with, from the end of its request line on. */
  #tail = '';
  #sent: SentAnswers | undefined;
  /** The last answer, while it is read and sent piece by piece: until its end no other is made. */
  #sending: BodySending | undefined;
  /** What came behind an answer that the client does not take, or that is not sent yet. */
  #rest: Buffer | undefined;

  constructor(socket: Socket, shared: FastShared) {
    this.#socket = socket;
    this.#shared = shared;
  }

  /**
   * Listens in the parser's place, if that listens as it is known here. Until then Node reads the socket
   * without a detour, and it does so wherever nothing is repeated.
   */
  begin(): void {
    const socket = this.#socket;
    const [ordinary, ...others] = socket.listeners('data');
    if (this.#ordinary || ordinary === undefined || others.length > 0 || socket.destroyed) return;
    this.#ordinary = ordinary as OnData;
    this.#between = this.#taken === 1 && socket.bytesRead === this.#first;
    this.#client = socket.remoteAddress ?? '';
    this.#sent ??= new SentAnswers(socket, this.#client);
    socket.off('data', this.#ordinary);
    socket.on('data', this.#onData);
    // Once and for all: when the parser has the socket to itself again it is given copies.
    this.#reads ||= this.#shared.reading.begin(socket, this.#onRead);
    socket.on('drain', this.#onDrain);
    socket.on('close', this.#onClose);
  }

  /** Whether an answer is read and sent piece by piece. */
  get sends(): boolean {
    return this.#sending !== undefined;
  }

  /** A request came out of the parser. */
  took(response: ServerResponse): void {
    this.#taken += 1;
    this.#last = response;
    const first = this.#taken === 1 ? parsedChunk(this.#socket) : undefined;
    if (first !== undefined && this.#simpleHeads(first) === 1) this.#first = first.length;
  }

  readonly #onRead = (length: number): boolean => {
    const { buffer } = this.#shared.reading;
    if (this.#answerAlone(buffer, length)) return true;
    // As Node does it: what is kept beyond this call must not be in the buffer of all.
    return this.#socket.push(Buffer.from(buffer.subarray(0, length)));
  };

  /** Answers one head with the fields of the last, which is what nearly all reads are. */
  #answerAlone(buffer: Buffer, length: number): boolean {
    const hits = this.#profile?.hits;
    if (this.#ordinary === undefined || hits === undefined) return false;
    if (!this.#isFree() || !this.#isOurs() || this.#memo !== this.#shared.memo()) return false;
    const head = buffer.toString('latin1', 0, length);
    if (!head.endsWith(this.#tail)) return false;
    const line = head.slice(0, length - this.#tail.length);
    const hit = hits.get(line);
    return hit !== undefined && this.#send({ hits, line, hit }, this.#shared.now());
  }

  /** Whether what was just read is the next thing to be answered. */
  #isFree(): boolean {
    const { readableFlowing, readableLength } = this.#socket;
    return (
      readableFlowing === true &&
      readableLength === 0 &&
      this.#rest === undefined &&
      !this.#stalled()
    );
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#rest !== undefined) this.#wait(Buffer.concat([this.#rest, chunk]));
    else if (this.#sending !== undefined) this.#wait(chunk);
    else this.#serve(chunk);
  };

  /** Answers the heads that it can, and hands on from the first that it cannot. */
  #serve(chunk: Buffer): void {
    let start = 0;
    if (this.#isOurs() && this.#isPlain(chunk)) {
      const now = this.#shared.now();
      while (start < chunk.length && !this.#stalled()) {
        const end = this.#answer(chunk, start, now);
        if (end === undefined) break;
        start = end;
      }
      if (start === chunk.length) return;
      if (this.#stalled()) {
        this.#wait(chunk.subarray(start));
        return;
      }
    }
    this.#handOn(start === 0 ? chunk : chunk.subarray(start));
  }

  /** Whether the parser is between two requests, and all it was given is answered. */
  #isOurs(): boolean {
    // The first request is never ours: the parser would end a connection on which it hears nothing.
    return this.#between && this.#last?.closed === true && this.#socket.writable;
  }

  /** Whether the last head is whole and none bears upon framing: a bad one concerns those before it. */
  #isPlain(chunk: Buffer): boolean {
    const end = chunk.indexOf(headEnd, 0, 'latin1');
    return end + headEnd.length === chunk.length || this.#simpleHeads(chunk) !== undefined;
  }

  /** Where the head that begins at `start` ended, if it was answered. */
  #answer(chunk: Buffer, start: number, now: number): number | undefined {
    const end = chunk.indexOf(headEnd, start, 'latin1');
    const lineEnd = chunk.indexOf('\r\n', start, 'latin1');
    if (end === -1 || lineEnd >= end) return undefined;
    const block = chunk.toString('latin1', lineEnd + 2, end);
    const ranged = block === this.#block ? undefined : takeRangeLine(block);
    const { hits } = this.#profileOf(ranged?.fields ?? block);
    const line = chunk.toString('latin1', start, lineEnd);
    const hit = hits?.get(line);
    if (hits === undefined || hit === undefined) return undefined;
    return this.#send({ hits, line, hit, range: ranged?.range }, now)
      ? end + headEnd.length
      : undefined;
  }

  /** Sends what was found, if it still holds. */
  #send({ hits, line, hit, range }: Found, at: number): boolean {
    if (!hit.holds(at)) {
      this.#memo?.drop(hits, line);
      return false;
    }
    if (range === undefined && hit.send(this.#socket)) this.#sent?.note(hit, at);
    else if (!this.#begin(hit, range, at)) return false;
    this.#shared.lookups.count(true);
    return true;
  }

  /** Begins to send what takes more than one write. */
  #begin(hit: PreparedHit, range: string | undefined, at: number): boolean {
    const socket = this.#socket;
    const { client, ended } = { client: this.#client, ended: this.#ended };
    const sending = hit.begin({ socket, client, at, range, ended });
    if (sending === undefined) return false;
    if (sending.over) {
      if (socket.errored) socket.destroy();
      return true;
    }
    this.#sending = sending;
    socket.setTimeout(this.#shared.stalledMs);
    return true;
  }

  readonly #ended = (failure: unknown): void => {
    if (this.#sending === undefined) return;
    this.#sending = undefined;
    // Short of its end a body never ends in order.
    if (failure !== undefined) this.#socket.destroy();
    else if (this.#rest !== undefined) this.#onDrain();
    else this.#socket.setTimeout(this.#shared.idleMs);
  };

  #profileOf(block: string): Profile {
    const memo = this.#shared.memo();
    if (this.#profile === undefined || block !== this.#block || memo !== this.#memo) {
      this.#profile = memo.profileOf(block);
      this.#block = block;
      this.#tail = `\r\n${block}${headEnd}`;
      this.#memo = memo;
    }
    return this.#profile;
  }

  #handOn(chunk: Buffer): void {
    const ordinary = this.#ordinary;
    const heads = this.#simpleHeads(chunk);
    const before = this.#taken;
    if (heads === undefined) this.#leave();
    ordinary?.(chunk);
    // What was left of something before ends with these heads, too, unless a body follows it.
    this.#between = heads === this.#taken - before && this.#last?.req.complete === true;
  }

  /** How many heads without a body there are, or undefined where there is anything else. */
  #simpleHeads(chunk: Buffer): number | undefined {
    let heads = 0;
    for (let start = 0; start < chunk.length; heads += 1) {
      const end = chunk.indexOf(headEnd, start, 'latin1');
      const lineEnd = chunk.indexOf('\r\n', start, 'latin1');
      if (end === -1 || lineEnd >= end) return undefined;
      if (!requestLine.test(chunk.toString('latin1', start, lineEnd))) return undefined;
      if (!this.#profileOf(chunk.toString('latin1', lineEnd + 2, end)).simple) return undefined;
      start = end + headEnd.length;
    }
    return heads;
  }

  /** From here on the parser has the socket to itself. */
  #leave(): void {
    const socket = this.#socket;
    socket.off('data', this.#onData);
    if (this.#ordinary) socket.on('data', this.#ordinary);
    this.#ordinary = undefined;
    socket.off('drain', this.#onDrain);
    // What is still on its way is heard of by its own callbacks.
    socket.off('close', this.#onClose);
  }

  #stalled(): boolean {
    const { writableNeedDrain, writableLength } = this.#socket;
    return this.#sending !== undefined || (writableNeedDrain && writableLength > 0);
  }

  /** RFC 9112 section 9.3.2: who does not read answers gets no more of them made. */
  #wait(rest: Buffer): void {
    if (this.#rest === undefined) this.#socket.setTimeout(this.#shared.stalledMs);
    this.#rest = rest;
    this.#socket.pause();
  }

  readonly #onDrain = (): void => {
    const rest = this.#rest;
    if (rest === undefined || this.#sending !== undefined) return;
    this.#rest = undefined;
    this.#socket.setTimeout(this.#shared.idleMs);
    this.#socket.resume();
    this.#serve(rest);
  };

  readonly #onClose = (): void => {
    this.#rest = undefined;
    this.#sending?.cut(new Error('the connection is closed'));
    this.#sent?.closed();
  };
}

import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { BodySending } from './body-sending.ts';
import type { FastShared } from './fast-shared.ts';
import type { Routed } from './gateway-handler.ts';
import { LastFields, type PlainHead } from './last-fields.ts';
import { parsedChunk } from './parsed-chunk.ts';
import type { PreparedHit } from './prepared-hit.ts';
import { SentAnswers } from './sent-answers.ts';
import { headEnd, simpleHeads } from './simple-heads.ts';

type OnData = (chunk: Buffer) => void;

/**
 * Stands between a socket and Node's HTTP parser, from the first request on. Whole heads that are hits
 * are answered here, while the parser waits for a request; all others it gets as they came. As soon as
 * there is something of which only a parser can say where it ends, it has the socket to itself.
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
  readonly #fields: LastFields;
  /** Where the request leads that the parser is to bring next. */
  #routed: Routed | undefined;
  #sent: SentAnswers | undefined;
  /** The last answer, while it is read and sent piece by piece: until its end no other is made. */
  #sending: BodySending | undefined;
  /** What came behind an answer that the client does not take, or that is not sent yet. */
  #rest: Buffer | undefined;

  constructor(socket: Socket, shared: FastShared) {
    this.#socket = socket;
    this.#shared = shared;
    this.#fields = new LastFields(shared.memo);
  }

  /** Listens in the parser's place, if that listens as it is known here. */
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

  /** A request came out of the parser; where it leads, if that is known. */
  took(response: ServerResponse): Routed | undefined {
    this.#taken += 1;
    this.#last = response;
    if (this.#taken === 1) this.#tookFirst();
    const routed = this.#routed;
    this.#routed = undefined;
    return routed;
  }

  /** From a first request that came alone and is a simple one there may be more to come like it. */
  #tookFirst(): void {
    const first = parsedChunk(this.#socket);
    if (first === undefined || this.#simpleHeads(first) !== 1) return;
    this.#first = first.length;
    this.begin();
  }

  readonly #onRead = (length: number): boolean => {
    const { buffer } = this.#shared.reading;
    const isNext = this.#ordinary !== undefined && this.#isFree() && this.#isOurs();
    // One head with the fields of the last is what nearly all reads are.
    const head = isNext ? this.#fields.read(buffer.toString('latin1', 0, length)) : undefined;
    if (head !== undefined && this.#answerPlain(head, this.#shared.now())) return true;
    // As Node does it: what is kept beyond this call must not be in the buffer of all.
    const chunk = Buffer.from(buffer.subarray(0, length));
    if (head === undefined) return this.#socket.push(chunk);
    // Where it leads is known of nothing but a simple one.
    this.#handOn(chunk, this.#routed && 1);
    return true;
  };

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
    this.#routed = undefined;
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
    const { profile, range } = this.#fields.meaningOf(block);
    const { plain } = profile;
    if (plain === undefined) return undefined;
    const line = chunk.toString('latin1', start, lineEnd);
    return this.#answerPlain({ line, plain, range }, now) ? end + headEnd.length : undefined;
  }

  #answerPlain(head: PlainHead, at: number): boolean {
    const { line, plain, range } = head;
    const known = plain.hits.get(line);
    if (known !== undefined) {
      if (this.#send(head, known, at)) {
        this.#shared.lookups.count(true);
        return true;
      }
      // It holds, but is not to be sent so.
      if (plain.hits.has(line)) return false;
    }
    const { hit, routed } = this.#shared.look(this.#socket, line, plain);
    if (hit !== undefined && this.#send(head, hit, at)) {
      this.#shared.lookups.count(false);
      return true;
    }
    // Without its range it is another request.
    this.#routed = range === undefined ? routed : undefined;
    return false;
  }

  /** Sends the answer, if it still holds. */
  #send(head: PlainHead, hit: PreparedHit, at: number): boolean {
    if (!hit.holds(at)) {
      this.#fields.drop(head);
      return false;
    }
    const { range } = head;
    const done = range === undefined ? hit.send(this.#socket) : hit.sendPart(this.#socket, range);
    if (done === undefined) return this.#begin(hit, range, at);
    this.#sent?.note(done, hit.ttl, at);
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

  /** `heads`: how many simple ones these are, if that is known. */
  #handOn(chunk: Buffer, heads = this.#simpleHeads(chunk)): void {
    const ordinary = this.#ordinary;
    const before = this.#taken;
    if (heads === undefined) this.#leave();
    ordinary?.(chunk);
    this.#routed = undefined;
    // What was left of something before ends with these heads, too, unless a body follows it.
    this.#between = heads === this.#taken - before && this.#last?.req.complete === true;
  }

  #simpleHeads(chunk: Buffer): number | undefined {
    return simpleHeads(chunk, (block) => this.#fields.profileOf(block).simple);
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

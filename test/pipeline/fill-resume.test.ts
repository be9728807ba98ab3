import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BodyReader, ByteRange } from '../../src/core/body.ts';
import { GatewayError } from '../../src/core/errors.ts';
import { Fill } from '../../src/pipeline/fill.ts';
import { UpstreamFillSource } from '../../src/pipeline/fill-source.ts';
import { continuationOf } from '../../src/pipeline/resume.ts';
import { createDiskStore } from '../../src/storage/engines/disk.ts';
import type { Store } from '../../src/storage/store.ts';
import { drain } from '../storage/bodies.ts';
import { temporaryFolder } from '../support/gateway.ts';
import { generatedBytes, generatedSha256 } from '../support/generated-bytes.ts';
import { until } from '../support/until.ts';
import { FakeResponse } from './fake-response.ts';
import { head, key } from './fill-fixture.ts';

const mebibyte = 2 ** 20;
const size = 4 * mebibyte + 12_345;
const whole = generatedBytes('resumed', 0, size);
const sha256 = generatedSha256('resumed', size);
const identity = { key, etag: '"v1"', head };
const strong = ['ETag', '"v1"'];
const broken = new GatewayError('http_response_incomplete', 'cut', { origin: 'upstream' });

/** A response on its way, and where it stands. */
interface Live {
  readonly response: FakeResponse;
  next: number;
  readonly last: number;
}

/** An upstream that sends what the test says, and counts it. */
class Upstream {
  readonly live: Live[] = [];
  dead = false;
  sent = 0;

  respond(range: ByteRange, status: 200 | 206): FakeResponse {
    const contentRange = `bytes ${range.first}-${range.last}/${size}`;
    const fields =
      status === 200 ? ['Content-Length', String(size)] : ['Content-Range', contentRange];
    const response = new FakeResponse(status, [...strong, ...fields]);
    this.live.push({ response, next: range.first, last: range.last });
    return response;
  }

  readonly part = async (range: ByteRange): Promise<FakeResponse> => {
    if (this.dead) throw broken;
    return this.respond(range, 206);
  };

  /** Sends some bytes of one of the responses; false when there is none. */
  send(which: number, length: number): boolean {
    const open = this.live.filter(({ response }) => response.consumed && !response.aborted);
    const feed = open[which % Math.max(1, open.length)];
    if (!feed) return false;
    const end = Math.min(feed.next + length, feed.last + 1);
    this.sent += end - feed.next;
    feed.response.data(whole.subarray(feed.next, end));
    feed.next = end;
    if (end > feed.last) this.#end(feed)?.end();
    return true;
  }

  break(which: number): void {
    const feed = this.live[which % Math.max(1, this.live.length)];
    if (feed) this.#end(feed)?.fail(broken);
  }

  #end(feed: Live): FakeResponse | undefined {
    return this.live.splice(this.live.indexOf(feed), 1)[0]?.response;
  }
}

/** A fill of what the store lacks, as an exchange begins one. */
async function begin(store: Store, upstream: Upstream): Promise<Fill> {
  const rest = continuationOf(await store.leftovers(key), [], undefined);
  const first = rest
    ? upstream.respond(rest.range, 206)
    : upstream.respond({ first: 0, last: size - 1 }, 200);
  const partial = await store.begin(size, identity);
  const fill = new Fill({
    ...{ key, size, partial },
    meta: (body) => ({ ...head, body }),
    // A store that is closed under a fill may refuse its commit.
    onFailure: (error) => expect(error).toMatchObject({ origin: 'storage' }),
  });
  const refetch = {
    part: upstream.part,
    whole: () => Promise.reject(broken),
    connections: () => 1,
    next: () => 'http://upstream.example',
    now: () => 0,
  };
  new UpstreamFillSource(fill, first, refetch, rest?.range);
  return fill;
}

/** Reads until the body ends or fails; what came is a part of the right bytes, whichever it was. */
async function follow(reader: BodyReader, from: number): Promise<number> {
  let at = from;
  try {
    for (let chunk = await reader.next(); chunk; chunk = await reader.next()) {
      if (!whole.subarray(at, at + chunk.length).equals(chunk)) throw new Error(`wrong from ${at}`);
      at += chunk.length;
    }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
  } finally {
    reader.close();
  }
  return at;
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

async function damage(folder: string, at: number): Promise<void> {
  for (const name of await readdir(join(folder, 'resumable'))) {
    const file = await open(join(folder, 'resumable', name), 'r+');
    if ((await file.stat()).size > at) await file.write(Buffer.alloc(1, 0x55), 0, 1, at);
    await file.close();
  }
}

const step = fc.record({
  which: fc.nat(3),
  length: fc.integer({ min: 1, max: mebibyte }),
  breaks: fc.boolean(),
});
const round = fc.record({
  steps: fc.array(step, { minLength: 2, maxLength: 8 }),
  from: fc.integer({ min: 0, max: size - 1 }),
  ending: fc.constantFrom('upstream', 'restart', 'both'),
  damagedAt: fc.option(fc.integer({ min: 0, max: size - 1 })),
});

describe('a fill that breaks off any number of times', () => {
  test('gives right bytes only, whatever breaks, restarts and rots', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 4 }), async (rounds) => {
        const folder = await temporaryFolder();
        let store = await createDiskStore({ dir: folder, maxBytes: 32 * mebibyte });
        for (const { steps, from, ending, damagedAt } of rounds) {
          const upstream = new Upstream();
          const fill = await begin(store, upstream);
          const readers = [follow(fill.read(), 0)];
          readers.push(follow(fill.read({ first: from, last: size - 1 }), from));
          for (const { which, length, breaks } of steps) {
            await turn();
            upstream.send(which, length);
            if (breaks) upstream.break(which);
          }
          if (ending !== 'restart') {
            upstream.dead = true;
            while (!fill.failure && !fill.complete && upstream.live.length > 0) {
              upstream.break(0);
              await turn();
            }
          }
          if (ending !== 'upstream') {
            await store.close();
            if (damagedAt !== null) await damage(folder, damagedAt);
            store = await createDiskStore({ dir: folder, maxBytes: 32 * mebibyte });
          }
          fill.fail(broken);
          await Promise.all(readers);
          if (fill.complete) await fill.settled;
        }
        const upstream = new Upstream();
        const fill = await begin(store, upstream);
        const all = follow(fill.read(), 0);
        while (!fill.complete && !fill.failure) {
          upstream.send(0, mebibyte);
          await turn();
        }
        expect(await all).toBe(size);
        const meta = await fill.settled;
        expect(meta?.body).toEqual({ sha256, size });
        const stored = meta && (await store.openBody(meta.body));
        expect(stored && (await drain(stored)).equals(whole)).toBe(true);
        expect(store.stats().partialBytes).toBe(0);
        await store.close();
      }),
      { numRuns: 10 },
    );
  }, 60_000);

  test('is read from what was left before a byte has come', async () => {
    const folder = await temporaryFolder();
    const store = await createDiskStore({ dir: folder, maxBytes: 32 * mebibyte });
    const early = new Upstream();
    const first = await begin(store, early);
    for (let sent = 0; sent < 3; sent++) early.send(0, mebibyte);
    early.dead = true;
    early.break(0);
    await until(() => first.failure !== undefined);
    const upstream = new Upstream();
    const fill = await begin(store, upstream);
    expect(upstream.live).toMatchObject([{ next: 3 * mebibyte, last: size - 1 }]);
    const reader = fill.read();
    let read = 0;
    while (read < 3 * mebibyte) read += (await reader.next())?.length ?? 0;
    expect(upstream.sent).toBe(0);
    while (upstream.send(0, mebibyte)) await turn();
    expect((await fill.settled)?.body.sha256).toBe(sha256);
    expect(upstream.sent).toBe(size - 3 * mebibyte);
    reader.close();
    await store.close();
  });

  test('leaves nothing behind after a sign that its bytes are not of one body', async () => {
    const folder = await temporaryFolder();
    const store = await createDiskStore({ dir: folder, maxBytes: 32 * mebibyte });
    for (const code of ['digest_mismatch', 'representation_changed'] as const) {
      const upstream = new Upstream();
      const fill = await begin(store, upstream);
      upstream.send(0, mebibyte + 1);
      upstream.send(0, mebibyte);
      fill.fail(new GatewayError(code, 'not of one body', { origin: 'upstream' }));
      await until(() => store.stats().partialBytes === 0);
      expect(await store.leftovers(key)).toEqual([]);
    }
    await store.close();
  });
});

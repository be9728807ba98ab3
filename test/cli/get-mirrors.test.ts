import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { MirrorTracker } from '../../src/upstream/mirror-tracker.ts';
import { sizeClasses } from '../../src/upstream/size-class.ts';
import { generatedBytes } from '../support/generated-bytes.ts';
import { type Handler, httpOrigin } from '../support/http-origin.ts';
import { getFixture, mebibyte } from './get-fixture.ts';

const size = 12 * mebibyte;
const etag = '"v1"';
const bytes = generatedBytes('mirrored', 0, size);
const checksum = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const flipped = Buffer.from(bytes);
flipped[size - 10] = (flipped[size - 10] ?? 0) ^ 1;

function rangeOf({ headers }: IncomingMessage): readonly [number, number] {
  const [, first = '0', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
  return [Number(first), last === '' ? size - 1 : Number(last)];
}

/** Serves the body and its ranges. `slow`: at first so slowly that one connection is not enough. */
function serving(body: Uint8Array, tag: string, slow: boolean): Handler {
  return async (request, response) => {
    const [first, last] = rangeOf(request);
    const fields = { ETag: tag, 'Content-Length': last - first + 1 };
    if (request.headers.range === undefined) response.writeHead(200, fields);
    else response.writeHead(206, { ...fields, 'Content-Range': `bytes ${first}-${last}/${size}` });
    for (let at = first; at <= last && !response.destroyed; at += 100_000) {
      response.write(body.subarray(at, Math.min(at + 100_000, last + 1)));
      if (slow) await setTimeout(at - first < 1_500_000 ? 40 : 4);
    }
    response.end();
  };
}

const slowly = (body: Uint8Array, tag: string) => serving(body, tag, true);
const quickly = (body: Uint8Array, tag: string) => serving(body, tag, false);

/** An origin with a mirror by a rule; each takes one request at a time, so that both are needed. */
async function mirrored(mirror: Handler, origin: Handler = slowly(bytes, etag)) {
  const fixture = await getFixture();
  const other = await httpOrigin();
  fixture.origin.handle('/x', origin);
  other.handle('/copy/x', mirror);
  const rule = {
    match: `${fixture.origin.url}/{path*}`,
    to: [{ url: `${other.url}/copy/{path}` }],
  };
  const config = { mirrors: [rule], limits: { concurrency: 1 } };
  await writeFile(join(fixture.cwd, 'm.yaml'), JSON.stringify(config));
  const get = async (...args: readonly string[]) => {
    const run = await fixture.get([`${fixture.origin.url}/x`, '-c', 'm.yaml', ...args]);
    const body = await readFile(join(fixture.cwd, 'x')).catch(() => Buffer.alloc(0));
    return { ...run, right: body.equals(bytes) };
  };
  return { ...fixture, mirror: other, get };
}

test('the parts of a large file come from the origin and its mirror at once', async () => {
  const { get, mirror, origin } = await mirrored(slowly(bytes, etag));
  const { code, right, stdout } = await get();
  expect({ code, right }).toEqual({ code: 0, right: true });
  expect(mirror.requests.length).toBeGreaterThan(0);
  expect(stdout).toContain(new URL(origin.url).host);
  expect(stdout).toContain(new URL(mirror.url).host);
});

test('--no-mirrors asks nobody but the origin', async () => {
  const { get, mirror } = await mirrored(slowly(bytes, etag));
  expect(await get('--no-mirrors')).toMatchObject({ code: 0, right: true });
  expect(mirror.requests).toHaveLength(0);
});

test('what a gateway learned of the mirrors is used, and what cannot be read is said', async () => {
  const { get, mirror, origin, cwd } = await mirrored(quickly(bytes, etag), quickly(bytes, etag));
  const learned = new MirrorTracker();
  const now = Date.now();
  for (const sizeClass of sizeClasses) {
    learned.of(origin.url).answered(sizeClass, 5_000, now);
    learned.of(mirror.url).answered(sizeClass, 1, now);
  }
  const data = join(cwd, 'data');
  await mkdir(data);
  await writeFile(join(data, 'mirrors.json'), JSON.stringify(learned.memory));
  const run = await get('--checksum', checksum);
  expect(run).toMatchObject({ code: 0, right: true, stderr: '' });
  expect([mirror.requests.length, origin.requests.length]).toEqual([1, 0]);
  await writeFile(join(data, 'mirrors.json'), 'damaged');
  const { code, stderr } = await get('-o', 'y');
  expect(code).toBe(0);
  expect(stderr).toMatch(
    /^warning: .*mirrors\.json: what a gateway has learned .* cannot be read\n$/,
  );
});

test.each([
  ['1', 1, 1],
  ['2', 2, 20],
])('--connections %s', async (connections, least, most) => {
  const { origin, get } = await getFixture();
  let active = 0;
  let mostActive = 0;
  origin.handle('/x', async (request, response) => {
    active += 1;
    mostActive = Math.max(mostActive, active);
    response.once('close', () => {
      active -= 1;
    });
    await slowly(bytes, etag)(request, response);
  });
  const { code } = await get([`${origin.url}/x`, '--connections', connections]);
  expect(code).toBe(0);
  expect(mostActive).toBeGreaterThanOrEqual(least);
  expect(origin.requests.length).toBeLessThanOrEqual(most);
});

test('--limit holds all downloads back together', async () => {
  const { origin, get } = await getFixture();
  origin.serve('/x', { body: bytes.subarray(0, mebibyte) });
  origin.serve('/y', { body: bytes.subarray(0, mebibyte) });
  const started = performance.now();
  const { code } = await get([`${origin.url}/x`, `${origin.url}/y`, '--limit', '1MiB/s']);
  expect(code).toBe(0);
  // Two seconds, without what may come at once and the last pieces, which nobody waits for.
  expect(performance.now() - started).toBeGreaterThan(700);
});

describe('the bytes are right although a mirror', () => {
  test('has another representation', async () => {
    const { get, mirror } = await mirrored(slowly(flipped, '"v2"'));
    expect(await get()).toMatchObject({ code: 0, right: true });
    expect(mirror.requests.length).toBeGreaterThan(0);
  });

  test('has other bytes under the same entity tag, when there is a checksum', async () => {
    const { get, mirror } = await mirrored(slowly(flipped, etag));
    expect(await get('--checksum', checksum)).toMatchObject({ code: 0, right: true });
    expect(mirror.requests.length).toBeGreaterThan(0);
  });

  test('stands in for an origin that is overloaded, and lies', async () => {
    let asked = 0;
    const { get, mirror } = await mirrored(quickly(flipped, etag), (request, response) => {
      asked += 1;
      if (asked > 1) return quickly(bytes, etag)(request, response);
      response.writeHead(503).end();
    });
    expect(await get('--checksum', checksum)).toMatchObject({ code: 0, right: true });
    expect(mirror.requests.length).toBeGreaterThan(0);
  });
});

test('a wrong checksum is one when the origin alone has said it, too', async () => {
  const { get, files } = await mirrored(quickly(bytes, etag), quickly(bytes, etag));
  const { code } = await get('--checksum', `sha256:${'0'.repeat(64)}`);
  expect(code).toBe(5);
  expect(await files()).toEqual(['m.yaml']);
});

test('a URL of a mount has that mount’s credentials', async () => {
  const { origin, cwd, get } = await getFixture();
  const seen: (string | undefined)[] = [];
  origin.handle('/private/x', (request, response) => {
    seen.push(request.headers.authorization);
    response.end('text');
  });
  const upstreams = [{ url: `${origin.url}/private`, authorization: 'Bearer secret' }];
  const config = { mounts: [{ path: '/files', ecosystem: 'generic', upstreams }] };
  await writeFile(join(cwd, 'm.yaml'), JSON.stringify(config));
  expect((await get(['-c', 'm.yaml', `${origin.url}/private/x`])).code).toBe(0);
  expect(seen).toEqual(['Bearer secret']);
});

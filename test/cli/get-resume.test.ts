import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { generatedBytes } from '../support/generated-bytes.ts';
import { until } from '../support/until.ts';
import { type GetFixture, getFixture, mebibyte, rangesOf, sendSome } from './get-fixture.ts';

const size = 2 * mebibyte;
const half = mebibyte;
const etag = '"v1"';
const bytes = generatedBytes('resume', 0, size);
const resource = { body: bytes, etag };
const checksum = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const sizeOf = (path: string) => (existsSync(path) ? statSync(path).size : 0);

interface Recorded {
  readonly ranges: readonly (readonly [number, number])[];
}
const recordOf = ({ cwd }: GetFixture) =>
  JSON.parse(readFileSync(join(cwd, 'x.part.json'), 'utf8')) as Recorded;

/** Half of the file arrives, then Ctrl-C. */
async function interrupted(fixture: GetFixture, args: readonly string[] = [], tag = etag) {
  const { origin, cwd, start } = fixture;
  origin.handle('/x', (_request, response) =>
    sendSome(response, { bytes, count: half, etag: tag }),
  );
  const { fake, ended } = start([`${origin.url}/x`, ...args]);
  await until(() => sizeOf(join(cwd, 'x.part')) >= half);
  fake.signal('SIGINT');
  return ended;
}

/** What the requests of the second run asked for. */
async function again(fixture: GetFixture, args: readonly string[] = []) {
  const { origin, cwd, get } = fixture;
  const before = origin.requests.length;
  const { code, stdout, stderr } = await get([`${origin.url}/x`, ...args]);
  const right = code === 0 && (await readFile(join(cwd, 'x'))).equals(bytes);
  return { code, stdout, stderr, right, ranges: rangesOf(origin).slice(before) };
}

test('after Ctrl-C the same command fetches what is missing and no more', async () => {
  const fixture = await getFixture();
  const first = await interrupted(fixture);
  expect(first.code).toBe(130);
  expect(first.stdout).toContain(
    'x: interrupted; the same command goes on from the 1.00 MiB that are kept\n',
  );
  expect(await fixture.files()).toEqual(['x.part', 'x.part.json']);
  fixture.origin.serve('/x', resource);
  const second = await again(fixture);
  expect(second).toMatchObject({ right: true, ranges: [`bytes=${half}-`] });
  expect(second.stdout).toContain('x: 2.00 MiB (1.00 MiB were there) in ');
  expect(await fixture.files()).toEqual(['x']);
});

test('a second Ctrl-C ends the process at once', async () => {
  const fixture = await getFixture();
  const { origin, start } = fixture;
  let asked = false;
  origin.handle('/x', () => {
    asked = true;
  });
  const { fake, ended } = start([`${origin.url}/x`]);
  await until(() => asked);
  fake.signal('SIGINT');
  fake.signal('SIGINT');
  expect(fake.exits).toEqual([130]);
  expect((await ended).code).toBe(130);
});

test('after kill -9 the same command fetches what is missing and no more', async () => {
  const fixture = await getFixture();
  const { origin, cwd } = fixture;
  origin.handle('/x', (_request, response) => sendSome(response, { bytes, count: half, etag }));
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, 'get', `${origin.url}/x`], { cwd, stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const record = join(cwd, 'x.part.json');
  await until(() => existsSync(record) && readFileSync(record, 'utf8').includes(`${half - 1}]`));
  child.kill('SIGKILL');
  await once(child, 'exit');
  origin.serve('/x', resource);
  const second = await again(fixture);
  expect(second).toMatchObject({ right: true, ranges: [`bytes=${half}-`] });
});

test('a representation that changed meanwhile is fetched from the start', async () => {
  const fixture = await getFixture();
  await interrupted(fixture, [], '"v0"');
  fixture.origin.serve('/x', resource);
  expect(await again(fixture)).toMatchObject({ right: true, ranges: [`bytes=${half}-`] });
});

test('one that became shorter, too', async () => {
  const fixture = await getFixture();
  await interrupted(fixture);
  fixture.origin.serve('/x', { body: 'short', etag });
  const { code, ranges } = await again(fixture);
  expect({ code, ranges }).toEqual({ code: 0, ranges: [`bytes=${half}-`, undefined] });
  expect(await readFile(join(fixture.cwd, 'x'), 'utf8')).toBe('short');
});

test('another URL of that name begins from the start: entity tags belong to their URL', async () => {
  const fixture = await getFixture();
  const { origin, cwd, get } = fixture;
  await interrupted(fixture);
  origin.serve('/other/x', resource);
  expect((await get([`${origin.url}/other/x`])).code).toBe(0);
  expect(rangesOf(origin)).toEqual([undefined, undefined]);
  expect((await readFile(join(cwd, 'x'))).equals(bytes)).toBe(true);
});

describe('without a strong validator', () => {
  test('nothing is kept', async () => {
    const fixture = await getFixture();
    const first = await interrupted(fixture, [], 'W/"v1"');
    expect(first.stdout).toContain('x: interrupted\n');
    expect(await fixture.files()).toEqual([]);
  });

  test('a checksum does: the rest is asked for, and the whole is proven', async () => {
    const fixture = await getFixture();
    await interrupted(fixture, ['--checksum', checksum], 'W/"v1"');
    fixture.origin.serve('/x', { ...resource, etag: false });
    const second = await again(fixture, ['--checksum', checksum]);
    expect(second).toMatchObject({ right: true, ranges: [`bytes=${half}-${size - 1}`] });
  });

  test('where the rest is of something else the whole is fetched once more', async () => {
    const fixture = await getFixture();
    const { origin, cwd, start } = fixture;
    const old = generatedBytes('older', 0, size);
    origin.handle('/x', (_request, response) =>
      sendSome(response, { bytes: old, count: half, etag: 'W/"v0"' }),
    );
    const { fake, ended } = start([`${origin.url}/x`, '--checksum', checksum]);
    await until(() => sizeOf(join(cwd, 'x.part')) >= half);
    fake.signal('SIGINT');
    await ended;
    origin.serve('/x', { ...resource, etag: false });
    const second = await again(fixture, ['--checksum', checksum]);
    expect(second).toMatchObject({
      right: true,
      ranges: [`bytes=${half}-${size - 1}`, undefined],
    });
  });
});

test('what arrived whole and was not put in its place costs a byte', async () => {
  const fixture = await getFixture();
  const { origin, cwd } = fixture;
  await interrupted(fixture);
  const whole = { ...recordOf(fixture), ranges: [[0, size - 1]] };
  await writeFile(join(cwd, 'x.part'), bytes);
  await writeFile(join(cwd, 'x.part.json'), JSON.stringify(whole));
  origin.serve('/x', resource);
  expect(await again(fixture)).toMatchObject({ right: true, ranges: [`bytes=${size - 1}-`] });
});

describe('what cannot be relied upon is fetched from the start:', () => {
  test.each<[string, (fixture: GetFixture) => Promise<void>]>([
    ['a part that lost bytes', ({ cwd }) => truncate(join(cwd, 'x.part'), half - 1)],
    [
      'ranges beyond the size',
      (fixture) =>
        writeFile(
          join(fixture.cwd, 'x.part.json'),
          JSON.stringify({ ...recordOf(fixture), ranges: [[0, size]] }),
        ),
    ],
    [
      'ranges that overlap',
      (fixture) =>
        writeFile(
          join(fixture.cwd, 'x.part.json'),
          JSON.stringify({
            ...recordOf(fixture),
            ranges: [
              [0, 100],
              [50, 200],
            ],
          }),
        ),
    ],
  ])('%s', async (_what, damage) => {
    const fixture = await getFixture();
    await interrupted(fixture);
    await damage(fixture);
    fixture.origin.serve('/x', resource);
    expect(await again(fixture)).toMatchObject({ right: true, ranges: [undefined] });
  });
});

test('a part that is somebody else’s is left alone', async () => {
  const fixture = await getFixture();
  const { origin, cwd, get } = fixture;
  origin.serve('/x', resource);
  await writeFile(join(cwd, 'x.part'), 'mine');
  const { code, stderr } = await get([`${origin.url}/x`]);
  expect(code).toBe(6);
  expect(stderr).toContain(`x.part is there, and no download's: remove it`);
  await writeFile(join(cwd, 'x.part.json'), '{}');
  expect((await get([`${origin.url}/x`])).code).toBe(6);
  expect(await readFile(join(cwd, 'x.part'), 'utf8')).toBe('mine');
  expect(origin.requests).toHaveLength(0);
});

test('a part that another process is at work at is left alone', async () => {
  const fixture = await getFixture();
  const { origin, get } = fixture;
  await interrupted(fixture);
  const processes = { own: 2, isRunning: (pid: number) => pid === 1 };
  const { code, stderr } = await get([`${origin.url}/x`], { processes });
  expect(code).toBe(6);
  expect(stderr).toMatch(/process 1 is at work at .*x\.part/);
});

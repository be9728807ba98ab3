import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { httpOrigin } from '../support/http-origin.ts';
import { fileOf, getFixture, mebibyte } from './get-fixture.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

test('a file lies under the name that its URL has, and nothing else does', async () => {
  const { origin, cwd, get, files } = await getFixture();
  const { resource, bytes } = fileOf('one', 3 * mebibyte + 17);
  origin.serve('/a/file%20one.bin', resource);
  const url = `${origin.url}/a/file%20one.bin`;
  const { code, stdout, stderr } = await get([url]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.split('\n')).toEqual([
    `file one.bin: from ${url}`,
    expect.stringMatching(
      /^file one\.bin: 3\.00 MiB in 0:0\d, \S+ \S+B\/s, from 127\.0\.0\.1:\d+$/,
    ),
    '',
  ]);
  expect(await files()).toEqual(['file one.bin']);
  expect((await readFile(join(cwd, 'file one.bin'))).equals(bytes)).toBe(true);
});

test('an empty file, and one whose length nobody says', async () => {
  const { origin, cwd, get, files } = await getFixture();
  origin.serve('/empty', { body: '' });
  origin.handle('/streamed', (_request, response) => {
    response.write('some');
    response.end('thing');
  });
  expect((await get([`${origin.url}/empty`, `${origin.url}/streamed`])).code).toBe(0);
  expect(await files()).toEqual(['empty', 'streamed']);
  expect(await readFile(join(cwd, 'streamed'), 'utf8')).toBe('something');
});

test('-O names a folder, which is made, -o a file', async () => {
  const { origin, cwd, get } = await getFixture();
  origin.serve('/x', { body: 'text' });
  expect((await get([`${origin.url}/x`, '-O', 'new/folder'])).code).toBe(0);
  expect(await readFile(join(cwd, 'new/folder/x'), 'utf8')).toBe('text');
  expect((await get([`${origin.url}/x`, '-o', 'sub/y'])).code).toBe(0);
  expect(await readFile(join(cwd, 'sub/y'), 'utf8')).toBe('text');
});

describe('a file that is there', () => {
  test('is not replaced under a name that a URL chose', async () => {
    const { origin, cwd, get } = await getFixture();
    origin.serve('/x', { body: 'new' });
    await writeFile(join(cwd, 'x'), 'old');
    const { code, stderr } = await get([`${origin.url}/x`]);
    expect(code).toBe(6);
    expect(stderr).toContain('x is there already: -o with its name replaces it');
    expect(await readFile(join(cwd, 'x'), 'utf8')).toBe('old');
    expect(origin.requests).toHaveLength(0);
  });

  test('is replaced where the user named it', async () => {
    const { origin, cwd, get } = await getFixture();
    origin.serve('/x', { body: 'new' });
    await writeFile(join(cwd, 'x'), 'old');
    expect((await get([`${origin.url}/x`, '-o', 'x'])).code).toBe(0);
    expect(await readFile(join(cwd, 'x'), 'utf8')).toBe('new');
  });

  test('is all that is wanted where it has the checksum', async () => {
    const { origin, cwd, get } = await getFixture();
    await writeFile(join(cwd, 'x'), 'text');
    const checksum = `sha256:${sha256(Buffer.from('text'))}`;
    const { code, stdout } = await get([`${origin.url}/x`, '--checksum', checksum]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'x: is there, with that checksum\n' });
    expect(origin.requests).toHaveLength(0);
  });
});

describe('--checksum', () => {
  test.each([
    ['sha256 in hexadecimal', (bytes: Uint8Array) => `sha256:${sha256(bytes).toUpperCase()}`],
    [
      'sha512 as an integrity text',
      (bytes: Uint8Array) => `sha512-${createHash('sha512').update(bytes).digest('base64')}`,
    ],
  ])('as %s lets the right bytes pass', async (_what, checksum) => {
    const { origin, get, files } = await getFixture();
    const { resource, bytes } = fileOf('right', 100_000);
    origin.serve('/x', resource);
    expect((await get([`${origin.url}/x`, '--checksum', checksum(bytes)])).code).toBe(0);
    expect(await files()).toEqual(['x']);
  });

  test('of other bytes leaves no file, and what was there stays', async () => {
    const { origin, cwd, get, files } = await getFixture();
    origin.serve('/x', { body: 'text' });
    await writeFile(join(cwd, 'kept'), 'old');
    const wrong = `sha256:${'0'.repeat(64)}`;
    const first = await get([`${origin.url}/x`, '--checksum', wrong]);
    expect(first.code).toBe(5);
    expect(first.stderr).toBe(
      'millrace: x: the bytes are not those that the checksum stands for; none are kept\n',
    );
    const named = await get([`${origin.url}/x`, '-o', 'kept', '--checksum', wrong]);
    expect(named.code).toBe(5);
    expect(await files()).toEqual(['kept']);
    expect(await readFile(join(cwd, 'kept'), 'utf8')).toBe('old');
  });
});

describe('of several downloads', () => {
  test('one that fails is told of at the end, and the others finish', async () => {
    const { origin, get, files } = await getFixture();
    origin.serve('/good', { body: 'text' });
    origin.serve('/also', { body: 'more' });
    const urls = ['/good', '/gone', '/also'].map((path) => origin.url + path);
    const { code, stdout, stderr } = await get(urls);
    expect(code).toBe(4);
    expect(stderr).toBe(
      'millrace: gone: the server answered 404\nmillrace: 1 of 3 downloads failed\n',
    );
    expect(stdout).toMatch(/^good: 4 B in /m);
    expect(stdout).toMatch(/^also: 4 B in /m);
    expect(await files()).toEqual(['also', 'good']);
  });

  test('the exit code is that of the first in the order of the command line', async () => {
    const { origin, get } = await getFixture();
    origin.serve('/bad', { body: 'text' });
    const wrong = `md5:${'0'.repeat(32)}`;
    const args = (paths: string[]) => [
      ...paths.map((path) => origin.url + path),
      ...paths.flatMap(() => ['--checksum', wrong]),
    ];
    expect((await get(args(['/bad', '/gone']))).code).toBe(5);
    expect((await get(args(['/gone', '/bad']))).code).toBe(4);
  });
});

test('a server that is not there is no reason to wait', async () => {
  const { get, files } = await getFixture();
  const gone = await httpOrigin();
  await gone.close();
  const { code, stderr } = await get([`${gone.url}/x`]);
  expect(code).toBe(3);
  expect(stderr).toMatch(/^millrace: x: .*\n$/);
  expect(await files()).toEqual([]);
});

test('credentials of the URL go to its host, and into nothing that is written', async () => {
  const { origin, get } = await getFixture();
  const seen: (string | undefined)[] = [];
  origin.handle('/x', (request, response) => {
    seen.push(request.headers.authorization);
    response.end('text');
  });
  const { stdout } = await get([`${origin.url.replace('//', '//me:pass%20word@')}/x`]);
  expect(seen).toEqual([`Basic ${Buffer.from('me:pass word').toString('base64')}`]);
  expect(stdout).not.toContain('pass');
});

test('--json: events for programs', async () => {
  const { origin, cwd, get } = await getFixture();
  origin.serve('/x', { body: 'text' });
  const { code, stdout } = await get(['--json', `${origin.url}/x`, `${origin.url}/gone`]);
  expect(code).toBe(4);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; url?: string });
  const of = (path: string) => events.filter(({ url }) => url === origin.url + path);
  expect(of('/x')).toEqual([
    { event: 'start', url: `${origin.url}/x`, file: join(cwd, 'x') },
    {
      event: 'done',
      url: `${origin.url}/x`,
      file: join(cwd, 'x'),
      size: 4,
      sha256: sha256(Buffer.from('text')),
      seconds: expect.any(Number),
      resumed: 0,
      mirrors: [{ origin: origin.url, connections: 0, bytes: 4 }],
    },
  ]);
  expect(of('/gone').at(-1)).toMatchObject({
    event: 'failed',
    exitCode: 4,
    code: 'destination_unavailable',
    message: 'the server answered 404',
    received: 0,
    size: null,
    kept: 0,
  });
  expect(events.at(-1)).toEqual({
    event: 'end',
    done: 1,
    there: 0,
    failed: 1,
    interrupted: 0,
    exitCode: 4,
  });
});

test.each<[string[], string]>([
  [['ftp://files.example.com/x'], 'give an http or https URL'],
  [['http://files.example.com/'], 'the URL names no file: give one with -o'],
  [['http://files.example.com/a%2fb'], 'the URL names no file: give one with -o'],
  [['http://files.example.com/..'], 'the URL names no file: give one with -o'],
  [['http://a.example.com/x', 'http://b.example.com/x'], 'two of the URLs would be the file x'],
  [['http://a.example.com/x', 'http://b.example.com/y', '-o', 'z'], '-o names one file'],
  [['http://a.example.com/x', '-o', 'z', '-O', 'folder'], 'give -o or -O, not both'],
  [['http://a.example.com/x', '-o', 'folder/'], '-o folder/: give the path of a file'],
  [['http://a.example.com/x', '-o', '-'], '-o -: give the path of a file'],
  [['http://a.example.com/x', '--checksum', 'sha256:12'], '--checksum sha256:12: give one such as'],
  [
    ['http://a.example.com/x', 'http://b.example.com/y', '--checksum', `md5:${'0'.repeat(32)}`],
    '--checksum was given 1 times for 2 URLs',
  ],
  [['http://a.example.com/x', '--limit', '10'], '--limit 10: give a rate such as'],
  [['http://a.example.com/x', '--limit', '1B/s'], '1KiB/s at the least'],
  [['http://a.example.com/x', '--connections', '0'], '--connections 0: give a whole number'],
  [['http://a.example.com/x', '--connections', '2.5'], '--connections 2.5: give a whole number'],
  [['http://a.example.com/x', '-c', 'none.yaml'], 'none.yaml: there is no such file'],
  [[], "missing required argument 'url'"],
])('%j is refused with what to do', async (args, said) => {
  const { get } = await getFixture();
  const { code, stderr } = await get(args);
  expect(code).toBe(2);
  expect(stderr).toContain(said);
});

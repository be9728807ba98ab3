import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../../src/cli/program.ts';
import type { MirrorRanking } from '../../src/gateway-get-probe.ts';
import { temporaryDirectory } from '../storage/directories.ts';
import { type HttpOrigin, httpOrigin } from '../support/http-origin.ts';
import { FakeProcess } from './support.ts';

const etag = '"v1"';
const body = { seed: 'optimize', size: 300_000 };
const same = { body, etag };

async function optimize(mirrors: readonly HttpOrigin[], args: readonly string[]) {
  const origin = await httpOrigin();
  origin.serve('/x', same);
  const cwd = await temporaryDirectory();
  const to = mirrors.map(({ url }) => ({ url: `${url}/copy/{path}`, region: 'eu' }));
  const rules = mirrors.length === 0 ? [] : [{ match: `${origin.url}/{path*}`, to }];
  await writeFile(join(cwd, 'm.yaml'), JSON.stringify({ mirrors: rules }));
  const fake = new FakeProcess();
  const argv = ['optimize', `${origin.url}/x`, '-c', 'm.yaml', ...args];
  const code = await run(argv, fake.io({ cwd }));
  return { code, origin, stdout: fake.stdout.text, stderr: fake.stderr.text };
}

test('every place is probed with a piece, and ranked; what has something else comes last', async () => {
  const [good, other, gone, deaf] = await Promise.all([1, 2, 3, 4].map(() => httpOrigin()));
  if (!good || !other || !gone || !deaf) throw new Error('there are four');
  good.serve('/copy/x', same);
  other.serve('/copy/x', { body, etag: '"v2"' });
  deaf.serve('/copy/x', { ...same, ranges: false });
  const { code, stdout, origin } = await optimize(
    [good, other, gone, deaf],
    ['--json', '--probe', '100KiB'],
  );
  expect(code).toBe(0);
  const { size, etag: tag, mirrors } = JSON.parse(stdout) as MirrorRanking;
  expect({ size, tag }).toEqual({ size: body.size, tag: etag });
  const faults = mirrors.map((mirror) => [mirror.origin, mirror.fault]);
  expect(new Set(faults.slice(0, 2))).toEqual(
    new Set([
      [origin.url, null],
      [good.url, null],
    ]),
  );
  expect(faults.slice(2)).toEqual([
    [other.url, 'it has another representation'],
    [gone.url, 'it answered 404'],
    [deaf.url, 'it does not serve ranges'],
  ]);
  for (const { fault, connectMs, firstByteMs, bytesPerSecond, expectedMs } of mirrors) {
    if (fault !== null) expect(expectedMs).toBe(null);
    else {
      const figures = [connectMs, firstByteMs, bytesPerSecond, expectedMs];
      for (const figure of figures) expect(figure).toBeGreaterThan(0);
    }
  }
  expect(good.bytesSent).toBe(100 * 1024);
});

test('for people it is a table', async () => {
  const mirror = await httpOrigin();
  mirror.serve('/copy/x', same);
  const { code, stdout, origin } = await optimize([mirror], []);
  expect(code).toBe(0);
  const [head, columns, first, second] = stdout.split('\n');
  expect(head).toBe(`${origin.url}/x: 293 KiB, entity tag "v1"`);
  expect(columns).toMatch(/mirror +connect +first byte +speed +expected/);
  expect([first, second].join('\n')).toMatch(
    /^1 +127\.0\.0\.1:\d+ +\d+ ms +\d+ ms +\S+ \S+\/s +0:01/,
  );
});

test('without a mirror it says so', async () => {
  const { code, stdout } = await optimize([], []);
  expect(code).toBe(0);
  expect(stdout).toContain('No mirror is known for this URL.\n');
});

test('an origin that does not have the file ends it', async () => {
  const origin = await httpOrigin();
  const fake = new FakeProcess();
  const io = fake.io({ cwd: await temporaryDirectory() });
  expect(await run(['optimize', `${origin.url}/gone`], io)).toBe(4);
  expect(fake.stderr.text).toBe(`millrace: ${origin.url}/gone: the server answered 404\n`);
});

test.each([
  [['ftp://files.example.com/x'], 'give an http or https URL'],
  [['http://files.example.com/x', '--probe', 'much'], '--probe much: give a size such as'],
  [['http://files.example.com/x', '--probe', '0'], '--probe 0: give a size such as'],
])('%j is refused with what to do', async (args, said) => {
  const fake = new FakeProcess();
  expect(await run(['optimize', ...args], fake.io())).toBe(2);
  expect(fake.stderr.text).toContain(said);
});

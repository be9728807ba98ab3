import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { generatedBytes } from '../support/generated-bytes.ts';
import { until } from '../support/until.ts';
import { getFixture, sendSome } from './get-fixture.ts';
import { TextSink } from './support.ts';

const bytes = generatedBytes('terminal', 0, 100_000);

/** A terminal that keeps all it was sent. */
function terminal(columns = 100, rows = 24): TextSink {
  return Object.assign(new TextSink(), { columns, rows });
}

test('on a terminal there are bars, results above them, and failures at the end', async () => {
  const { origin, start } = await getFixture();
  origin.serve('/quick', { body: 'text' });
  let goOn = (): void => {};
  origin.handle('/slow', (_request, response) => {
    sendSome(response, { bytes, count: 50_000, etag: '"v1"' });
    goOn = () => response.end(bytes.subarray(50_000));
  });
  const stdout = terminal();
  const urls = ['/slow', '/quick', '/gone'].map((path) => origin.url + path);
  const { ended } = start(urls, { stdout, isTerminal: true, env: { LANG: 'C.UTF-8' } });
  await until(() => /slow +█{12}░{12} +50% +48\.8 KiB of 97\.7 KiB/.test(stdout.text));
  await until(() => stdout.text.includes('gone: failed') && stdout.text.includes('quick: 4 B in'));
  goOn();
  const { code, stderr } = await ended;
  expect(code).toBe(4);
  expect(stderr).toBe(
    'millrace: gone: the server answered 404\nmillrace: 1 of 3 downloads failed\n',
  );
  const shown = stripVTControlCharacters(stdout.text);
  expect(shown).toMatch(/\nall +░{24} /);
  expect(shown.trimEnd().split('\n').at(-1)).toMatch(/^slow: 97\.7 KiB in 0:0\d, /);
});

test.each([
  ['a dumb terminal', { TERM: 'dumb', LANG: 'C.UTF-8' }, /^x: from http/],
  ['a locale without UTF-8', { LANG: 'C' }, /^[ -~\s]*$/],
])('%s gets what it can show', async (_what, env, expected) => {
  const { origin, get } = await getFixture();
  origin.serve('/x', { body: 'text' });
  const stdout = terminal();
  expect((await get([`${origin.url}/x`], { stdout, isTerminal: true, env })).code).toBe(0);
  expect(stripVTControlCharacters(stdout.text)).toMatch(expected);
});

test('a terminal that nobody has given a size is taken for one of 80 cells and 24 lines', async () => {
  const { origin, start } = await getFixture();
  let goOn = (): void => {};
  origin.handle('/slow', (_request, response) => {
    sendSome(response, { bytes, count: 50_000, etag: '"v1"' });
    goOn = () => response.end(bytes.subarray(50_000));
  });
  const stdout = terminal(0, 0);
  const { ended } = start([`${origin.url}/slow`], { stdout, isTerminal: true, env: { LANG: 'C' } });
  await until(() => /slow +#+-+ +50% +48\.8 KiB of 97\.7 KiB/.test(stdout.text));
  goOn();
  expect((await ended).code).toBe(0);
});

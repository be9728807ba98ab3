import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HitMemo } from '../../src/surfaces/hit-memo.ts';
import { LastFields } from '../../src/surfaces/last-fields.ts';
import type { PreparedHit } from '../../src/surfaces/prepared-hit.ts';

const line = 'GET /a HTTP/1.1';
const others = ['Host: x', 'Accept: */*', 'User-Agent: t'];

/** Fields that were last seen with these lines, and a hit that is known for them. */
function seen(lines: readonly string[]) {
  let memo = new HitMemo<number>(0);
  const fields = new LastFields(() => memo);
  const { profile } = fields.meaningOf(lines.join('\r\n'));
  const hit = { weight: 1 } as unknown as PreparedHit;
  const hits = profile.plain?.hits;
  if (hits) memo.add(hits, line, hit);
  const read = (...head: readonly string[]) => fields.read(`${head.join('\r\n')}\r\n\r\n`);
  const find = (...lines: readonly string[]) => {
    const head = read(...lines);
    const found = head?.plain.hits.get(head.line);
    return head && found && { ...head, hit: found };
  };
  const forget = () => {
    memo = new HitMemo<number>(1);
  };
  return { fields, hit, read, find, forget };
}

const withRange = (range: string, place: number) => others.toSpliced(place, 0, range);

test.each([0, 1, 2, 3])('a range at place %i is found where the last one was', (place) => {
  const { hit, find, forget } = seen(withRange('Range: bytes=0-9', place));
  expect(find(line, ...withRange('Range: bytes=10-', place))).toMatchObject({
    ...{ hit, line, range: 'bytes=10-' },
  });
  expect(find(line, ...others)).toMatchObject({ hit, line });
  expect(find(line, ...others)?.range).toBeUndefined();
  expect(find('GET /b HTTP/1.1', ...withRange('Range: bytes=10-', place))).toBeUndefined();
  forget();
  expect(find(line, ...withRange('Range: bytes=10-', place))).toBeUndefined();
});

test.each<[string, readonly string[]]>([
  ['another field', ['Host: x', 'Range: bytes=1-2', 'Accept: text/html', 'User-Agent: t']],
  ['another field before', ['Host: y', 'Range: bytes=1-2', 'Accept: */*', 'User-Agent: t']],
  ['another place', withRange('Range: bytes=1-2', 2)],
  ['another spelling', withRange('range: bytes=1-2', 1)],
  ['several ranges', withRange('Range: bytes=1-2,5-6', 1)],
  ['no range', withRange('Range: bytes=-', 1)],
  ['another unit', withRange('Range: items=1-2', 1)],
  ['a fold', withRange('Range: bytes=1-2\r\n ,5-6', 1)],
  ['two lines', withRange('Range: bytes=1-2\r\nRange: bytes=1-2', 1)],
  ['a head before', ['', line, ...withRange('Range: bytes=1-2', 1)]],
])('with %s it is not', (_what, lines) => {
  const { find } = seen(withRange('Range: bytes=0-9', 1));
  expect(find(line, ...lines)).toBeUndefined();
});

test.each([
  ['without a range', others],
  ['with one', withRange('Range: bytes=1-2', 1)],
])('of a head %s that is alone the line is read, known or not', (_what, lines) => {
  const { read } = seen(withRange('Range: bytes=0-9', 1));
  expect(read('GET /b HTTP/1.1', ...lines)?.line).toBe('GET /b HTTP/1.1');
  expect(read('GET /b HTTP/1.1', 'X: y', ...lines)).toBeUndefined();
  expect(read(line, ...others, '', line, ...lines)).toBeUndefined();
  expect(read('GET /b HTTP/1.1', ...lines, 'X: y')).toBeUndefined();
});

test('what is found is what the field lines mean', () => {
  const place = fc.nat(others.length);
  const value = fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `bytes=${a}-${b}`);
  fc.assert(
    fc.property(place, place, value, (before, place, value) => {
      const { fields, find } = seen(withRange('Range: bytes=0-9', before));
      const lines = withRange(`Range: ${value}`, place);
      const found = find(line, ...lines);
      expect(found !== undefined).toBe(before === place);
      const { profile, range } = fields.meaningOf(lines.join('\r\n'));
      if (found) expect(found).toMatchObject({ plain: profile.plain, range });
    }),
  );
});

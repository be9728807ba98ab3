import { hash } from 'node:crypto';
import { expect, test } from 'vitest';
import { digestAlgorithms } from '../../src/core/digest.ts';
import { BodyHash } from '../../src/pipeline/body-hash.ts';

const body = Buffer.from('the whole of it, in one piece or in several');
const sha256 = hash('sha256', body);
const read = async (position: number, target: Uint8Array): Promise<number> =>
  body.copy(target, 0, position);

test('a body that comes in one piece is proven at once', async () => {
  const whole = new BodyHash(undefined, body.length);
  whole.update(0, body);
  expect(whole.proof).toEqual({ sha256, matches: true });
  expect(whole.prefix()).toEqual({ bytes: body.length, sha256 });
  expect(await whole.finish(body.length, read)).toEqual({ sha256, matches: true });
});

test.each(digestAlgorithms)('is held to its %s however it comes', async (algorithm) => {
  const expected = { algorithm, hex: hash(algorithm, body) };
  const other = { algorithm, hex: hash(algorithm, 'something else') };
  for (const pieces of [[body], [body.subarray(0, 9), body.subarray(9)], []]) {
    for (const [digest, matches] of [
      [expected, true],
      [other, false],
    ] as const) {
      const it = new BodyHash(digest, body.length);
      for (const piece of pieces) it.update(it.position, piece);
      expect(await it.finish(body.length, read)).toEqual({ sha256, matches });
    }
  }
});

test.each(digestAlgorithms)('an empty body has a %s too', async (algorithm) => {
  const empty = new BodyHash({ algorithm, hex: hash(algorithm, '') }, 0);
  expect(await empty.finish(0, read)).toEqual({ sha256: hash('sha256', ''), matches: true });
});

test('nothing is proven before the last byte', () => {
  const part = new BodyHash(undefined, body.length);
  part.update(0, body.subarray(0, 9));
  expect(part.proof).toBeUndefined();
  expect(part.prefix()).toEqual({ bytes: 9, sha256: hash('sha256', body.subarray(0, 9)) });
});

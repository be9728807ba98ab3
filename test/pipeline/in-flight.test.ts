import { expect, test } from 'vitest';
import { InFlight } from '../../src/pipeline/in-flight.ts';

const url = 'http://origin.test/a';

async function end(inFlight: InFlight, key: string): Promise<void> {
  const failed = Promise.reject(new Error('no answer'));
  await expect(inFlight.join(key, () => failed).arrival).rejects.toThrow('no answer');
}

test('what was looked up may be out of date once an exchange for its URL has ended', async () => {
  const inFlight = new InFlight();
  const since = inFlight.ended;
  await end(inFlight, url);
  expect(inFlight.mayHaveEnded(url, since)).toBe(true);
  expect(inFlight.mayHaveEnded(url, inFlight.ended)).toBe(false);
});

test('an exchange for a variant of it counts, one for another URL does not', async () => {
  const inFlight = new InFlight();
  const since = inFlight.ended;
  await end(inFlight, 'http://origin.test/b');
  expect(inFlight.mayHaveEnded(url, since)).toBe(false);
  await end(inFlight, `${url}\naccept-language: de`);
  expect(inFlight.mayHaveEnded(url, since)).toBe(true);
});

test('so many others may have ended since that nobody knows any more', async () => {
  const inFlight = new InFlight();
  const since = inFlight.ended;
  await end(inFlight, url);
  for (let other = 0; other < 200; other += 1) await end(inFlight, `http://origin.test/${other}`);
  expect(inFlight.mayHaveEnded(url, since)).toBe(true);
  expect(inFlight.mayHaveEnded(url, inFlight.ended - 10)).toBe(false);
});

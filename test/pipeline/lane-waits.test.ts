import { expect, test } from 'vitest';
import { LaneWaits } from '../../src/pipeline/lane-waits.ts';

/** The part after so many windows of 100 ms, of which what comes waits for `ms` each. */
function after(waits: LaneWaits, windows: number, ms: number, from = 0): number {
  for (let at = from; at < from + windows * 100; at += 100) {
    if (ms > 0) waits.begin(at);
    if (ms < 100) waits.end(at + ms);
    waits.look(at + 50);
    waits.look(at + 100);
  }
  return waits.part;
}

test('parts are short where what comes waits most of the time, and not for a moment only', () => {
  expect(after(new LaneWaits(0), 1, 90)).toBe(1);
  expect(after(new LaneWaits(0), 2, 90)).toBe(1 / 16);
  expect(after(new LaneWaits(0), 20, 100)).toBe(1 / 16);
});

test('and long where it waits for less, or little by little when it does not any more', () => {
  expect(after(new LaneWaits(0), 20, 50)).toBe(1);
  const waits = new LaneWaits(0);
  after(waits, 3, 90);
  expect(after(waits, 2, 0, 300)).toBe(1 / 4);
  expect(after(waits, 2, 0, 500)).toBe(1);
});

test('a wait that does not end is seen', () => {
  const waits = new LaneWaits(0);
  waits.begin(10);
  for (let at = 100; at <= 300; at += 100) waits.look(at);
  expect(waits.part).toBe(1 / 16);
  waits.end(310);
  waits.look(400);
  expect(waits.part).toBe(1 / 8);
});

import { expect, test } from 'vitest';
import { LaneMeter } from '../../src/pipeline/lane-meter.ts';

test('says nothing before there are bytes', () => {
  const meter = new LaneMeter(0);
  expect(meter.flowing).toBe(false);
  expect(meter.rate(1_000)).toBeUndefined();
});

test('follows a connection that becomes slower', () => {
  const meter = new LaneMeter(0);
  for (let at = 0; at <= 1_000; at += 10) meter.took(10_000, at);
  expect(meter.rate(1_000)).toBeCloseTo(1_000, -2);
  for (let at = 1_010; at <= 3_000; at += 10) meter.took(1_000, at);
  expect(meter.rate(3_000)).toBeCloseTo(100, -2);
});

test('counts silence, but not while it is made to wait', () => {
  const meter = new LaneMeter(0);
  for (let at = 0; at <= 1_000; at += 10) meter.took(10_000, at);
  expect(meter.silentMs(3_000)).toBe(2_000);
  expect(meter.rate(3_000)).toBeLessThan(10);
  meter.waited(3_000);
  expect(meter.silentMs(3_000)).toBe(0);
  expect(meter.rate(3_000)).toBeCloseTo(1_000, -2);
});

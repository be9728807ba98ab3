import { describe, expect, test } from 'vitest';
import { barLines } from '../../src/cli/get-bars.ts';
import type { GetView } from '../../src/cli/get-report.ts';
import { humanBytes, humanTime } from '../../src/cli/human.ts';
import { Speed } from '../../src/cli/speed.ts';

const mebibyte = 2 ** 20;

function view(name: string, given: Partial<GetView>): GetView {
  const progress = { received: 0, size: undefined, resumed: 0, sources: [], kept: 0 };
  const item = {
    url: `http://files.test/${name}`,
    name,
    target: `/${name}`,
    progress: () => progress,
  };
  return {
    ...progress,
    item,
    bytesPerSecond: undefined,
    secondsLeft: undefined,
    from: [],
    ...given,
  };
}

const half = view('half.iso', {
  received: 50 * mebibyte,
  size: 100 * mebibyte,
  bytesPerSecond: 10 * mebibyte,
  secondsLeft: 5,
  from: ['a.test (6)', 'b.test'],
});

describe('bars', () => {
  test('one download: share, bytes, speed, time left, places', () => {
    expect(barLines([half], { columns: 120, unicode: true })).toEqual([
      'half.iso  ████████████░░░░░░░░░░░░   50%  50.0 MiB of 100 MiB   10.0 MiB/s   0:05 left  a.test (6), b.test',
    ]);
  });

  test('several have one for all of them, in step with the slowest sum', () => {
    const whole = view('whole', { received: 100 * mebibyte, size: 100 * mebibyte });
    const lines = barLines([half, whole], { columns: 120, unicode: false });
    expect(lines).toEqual([
      'half.iso  ############------------   50%  50.0 MiB of 100 MiB   10.0 MiB/s   0:05 left  a.test (6), b.test',
      'whole     ########################  100%   100 MiB of 100 MiB',
      'all       ##################------   75%   150 MiB of 200 MiB   10.0 MiB/s   0:05 left',
    ]);
  });

  test('without a length there is no share, and none of all', () => {
    const [one, , all] = barLines([view('x', { received: 100 }), half], {
      columns: 120,
      unicode: false,
    });
    expect(one).toContain('x         ------------------------           100 B');
    expect(all).not.toContain('%');
  });

  test.each([20, 40, 60, 80, 200])('no line is wider than a terminal of %i cells', (columns) => {
    const long = view('a-name-that-is-much-longer-than-anybody-needs.tar.gz', half);
    for (const line of barLines([long, half], { columns, unicode: true })) {
      expect(line.length).toBeLessThan(columns);
    }
  });

  test('a name does not speak to the terminal', () => {
    const evil = view('\u001b[2Jx', { received: 1, size: 2 });
    expect(barLines([evil], { columns: 80, unicode: true }).join()).not.toContain('\u001b');
  });
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '0.98 KiB'],
  [1536, '1.50 KiB'],
  [10 * mebibyte, '10.0 MiB'],
  [999.6 * mebibyte, '0.98 GiB'],
  [2 ** 40, '1.00 TiB'],
  [5000 * 2 ** 40, '5000 TiB'],
])('%d bytes are %s', (bytes, text) => {
  expect(humanBytes(bytes)).toBe(text);
});

test.each([
  [0.2, '0:01'],
  [59, '0:59'],
  [60, '1:00'],
  [3_725, '1:02:05'],
  [Number.POSITIVE_INFINITY, '--:--'],
])('%d seconds are %s', (seconds, text) => {
  expect(humanTime(seconds)).toBe(text);
});

test('speed is that of the last three seconds, and begins anew with the bytes', () => {
  const speed = new Speed();
  expect(speed.bytesPerSecond).toBe(undefined);
  speed.observe(0, 0);
  expect(speed.bytesPerSecond).toBe(undefined);
  for (let second = 1; second <= 10; second += 1) speed.observe(second * 1000, second * 100);
  expect(speed.bytesPerSecond).toBe(100);
  for (let second = 11; second <= 15; second += 1) speed.observe(second * 1000, 1000);
  expect(speed.bytesPerSecond).toBe(0);
  speed.observe(16_000, 0);
  speed.observe(17_000, 50);
  expect(speed.bytesPerSecond).toBe(50);
});

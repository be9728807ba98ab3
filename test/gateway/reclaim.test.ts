import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Logger } from '../../src/core/logger.ts';
import { openAllocator } from '../../src/gateway-allocator.ts';
import { MemoryGuard } from '../../src/gateway-memory.ts';
import { openReclaimer, Reclaimer } from '../../src/gateway-reclaim.ts';
import { processProbe } from '../support/process-probe.ts';

const mebibyte = 2 ** 20;

/** A reclaimer whose seconds pass when the test says so. */
function setup() {
  const state = { cpu: 0, rss: 300 * mebibyte, external: 200 * mebibyte, fills: 0, now: 0 };
  const done: string[] = [];
  let look = (): void => undefined;
  let stopped = false;
  const reclaimer = new Reclaimer({
    reclaiming: {
      trim: () => void done.push('trim'),
      collect: () => {
        done.push('collect');
        // It takes its time itself.
        state.cpu += 200_000;
      },
    },
    probe: {
      memoryUsage: () => ({ rss: state.rss, external: state.external }),
      cpuUsage: () => ({ user: state.cpu / 2, system: state.cpu / 2 }),
    },
    fills: () => state.fills,
    now: () => state.now,
    every: (milliseconds, run) => {
      expect(milliseconds).toBe(1_000);
      look = run;
      return () => {
        stopped = true;
      };
    },
  });
  /** Seconds, in each of which so much of a processor is used. */
  const pass = (seconds: number, share: number): void => {
    for (let i = 0; i < seconds; i++) {
      state.cpu += share * 1_000_000;
      look();
    }
  };
  return { reclaimer, state, done, pass, isStopped: () => stopped };
}

test('after thirty seconds of rest memory is given back, what the start leaves behind at once', () => {
  const { state, done, pass } = setup();
  pass(1, 0.01);
  expect(done).toEqual([]);
  pass(1, 0.01);
  expect(done.splice(0)).toEqual(['trim']);
  pass(27, 0.01);
  expect(done).toEqual([]);
  pass(1, 0.01);
  expect(done).toEqual(['collect', 'trim']);
  // The collection was work.
  pass(3, 0.01);
  expect(done.splice(0)).toEqual(['collect', 'trim', 'trim']);
  pass(100, 0.01);
  expect(done).toEqual([]);
  pass(5, 1);
  state.rss += 33 * mebibyte;
  pass(29, 0);
  expect(done).toEqual([]);
  pass(40, 0);
  expect(done.splice(0)).toEqual(['collect', 'trim', 'trim']);
});

test('nothing is done while requests go on, nor while a body is on its way', () => {
  const { state, done, pass } = setup();
  pass(20, 0.3);
  for (let i = 0; i < 10; i++) {
    pass(1, 0.01);
    pass(1, 0.3);
  }
  state.fills = 1;
  pass(20, 0.01);
  expect(done).toEqual([]);
  state.fills = 0;
  pass(30, 0.01);
  expect(done).toEqual(['trim', 'collect', 'trim']);
});

test('after little work nothing is collected, until it has come to something', () => {
  const { state, done, pass } = setup();
  pass(40, 0);
  done.splice(0);
  for (const expected of [['trim'], ['trim'], ['trim'], ['collect', 'trim', 'trim']]) {
    pass(1, 1);
    state.rss += 10 * mebibyte;
    pass(40, 0);
    expect(done.splice(0)).toEqual(expected);
  }
});

test('what the engine frees later, during the rest, goes back, too', () => {
  const { state, done, pass } = setup();
  pass(70, 0);
  done.splice(0);
  state.external -= 50 * mebibyte;
  pass(10, 0);
  expect(done).toEqual(['trim']);
});

test('when memory becomes short all is collected, while it is short it is trimmed; both not again and again', () => {
  const { reclaimer, state, done } = setup();
  const relieve = (rises: boolean, later: number) => {
    state.now += later;
    return [reclaimer.relieve(rises), done.splice(0)];
  };
  expect(relieve(true, 0)).toEqual([true, ['collect', 'trim']]);
  expect(relieve(true, 9_999)).toEqual([false, []]);
  expect(relieve(false, 1)).toEqual([true, ['trim']]);
  expect(relieve(true, 49_999)).toEqual([true, ['trim']]);
  expect(relieve(false, 1)).toEqual([false, []]);
  expect(relieve(true, 0)).toEqual([true, ['collect', 'trim']]);
});

test('it stops when it is closed', () => {
  const { reclaimer, isStopped } = setup();
  expect(isStopped()).toBe(false);
  reclaimer.close();
  expect(isStopped()).toBe(true);
});

test.each([
  ['helps, is no pressure', 500, []],
  ['does not help, is pressure', 800, ['elevated', 'none']],
])('memory that is short for garbage, where collecting %s', (_result, after, expected) => {
  const logged: unknown[] = [];
  const line = (fields: { pressure?: unknown }) => void logged.push(fields.pressure);
  const used = { rss: 800, heapUsed: 0, external: 0 };
  const relieved: boolean[] = [];
  const guard = new MemoryGuard({
    probe: {
      memoryUsage: () => used,
      constrainedMemory: () => 0,
      totalMemory: () => 10_000,
      heapLimit: () => 1_000,
    },
    tier: { bound: 100, setBound: () => undefined },
    log: { warn: line, info: line } as unknown as Logger,
    settings: () => ({ limit: 1_000, tierBytes: 100, connections: 8 }),
    relieve: (rises) => {
      relieved.push(rises);
      used.rss = relieved.length === 1 ? after : 500;
      return true;
    },
    every: () => () => undefined,
  });
  guard.check();
  guard.check();
  guard.check();
  expect(relieved).toEqual(expected.length === 0 ? [true] : [true, false]);
  expect(logged).toEqual(expected);
});

test('without node:ffi, or a malloc that can be asked, garbage is still collected', async () => {
  const lines: string[] = [];
  const log = { debug: (_: unknown, line: string) => void lines.push(line) } as unknown as Logger;
  for (const ffi of [undefined, { dlopen: () => ({ functions: {} }) }, failing()]) {
    const reclaimer = openReclaimer(
      { probe: processProbe, loadFfi: () => ffi },
      { log, fills: () => 0, now: () => 0 },
    );
    const garbage = new WeakRef({ some: 'thing' });
    await setImmediate();
    expect(reclaimer?.relieve(true)).toBe(true);
    expect(garbage.deref()).toBeUndefined();
    reclaimer?.close();
  }
  expect(lines).toEqual(
    Array.from({ length: 3 }, () => 'freed memory goes back to the system when malloc sees fit'),
  );
});

function failing() {
  return {
    dlopen(): never {
      throw new Error('dlsym failed');
    },
  };
}

test('no process but its own is tampered with', () => {
  const log = {} as Logger;
  const options = { log, fills: () => 0, now: () => 0 };
  expect(openReclaimer({ probe: processProbe }, options)).toBeUndefined();
});

test('malloc is told to map bodies by themselves, within bounds, and to trim', () => {
  const calls: unknown[] = [];
  const allocator = openAllocator({
    dlopen: (library: unknown, signatures: object) => {
      expect(library).toBeNull();
      const called =
        (name: string) =>
        (...values: readonly unknown[]) => {
          calls.push([name, ...values]);
          return 1;
        };
      const names = Object.keys(signatures);
      return { functions: Object.fromEntries(names.map((name) => [name, called(name)])) };
    },
  });
  allocator.trim();
  expect(calls).toEqual([
    ['mallopt', -3, 320 * 1024],
    ['mallopt', -4, 16 * 1024],
    ['malloc_trim', 0n],
  ]);
});

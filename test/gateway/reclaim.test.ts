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
  const state = { cpu: 0, external: 200 * mebibyte, fills: 0, now: 0 };
  const done: string[] = [];
  let look = (): void => undefined;
  let stopped = false;
  const reclaimer = new Reclaimer({
    reclaiming: {
      trim: () => void done.push('trim'),
      collect: () => void done.push('collect'),
    },
    probe: {
      memoryUsage: () => ({ external: state.external }),
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

test('memory goes back once when two seconds have been quiet, and no more while nothing happens', () => {
  const { done, pass } = setup();
  pass(1, 0.01);
  expect(done).toEqual([]);
  pass(1, 0.01);
  expect(done).toEqual(['trim']);
  pass(100, 0.01);
  expect(done).toEqual(['trim']);
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
  pass(2, 0.01);
  expect(done).toEqual(['trim']);
});

test('what the engine frees during the rest goes back, too, and what comes after later work', () => {
  const { state, done, pass } = setup();
  pass(3, 0);
  state.external -= 50 * mebibyte;
  pass(3, 0);
  expect(done).toEqual(['trim', 'trim']);
  pass(1, 1);
  pass(2, 0);
  expect(done).toEqual(['trim', 'trim', 'trim']);
});

test('when memory is short all is collected, but not again and again', () => {
  const { reclaimer, state, done } = setup();
  expect(reclaimer.relieve()).toBe(true);
  expect(done).toEqual(['collect', 'trim']);
  state.now += 59_999;
  expect(reclaimer.relieve()).toBe(false);
  state.now += 1;
  expect(reclaimer.relieve()).toBe(true);
  expect(done).toEqual(['collect', 'trim', 'collect', 'trim']);
});

test('it stops when it is closed', () => {
  const { reclaimer, isStopped } = setup();
  expect(isStopped()).toBe(false);
  reclaimer.close();
  expect(isStopped()).toBe(true);
});

test.each([
  ['helps, is no pressure', 500, []],
  ['does not help, is pressure', 800, ['elevated']],
])('memory that is short for garbage, where collecting %s', (_result, after, expected) => {
  const logged: unknown[] = [];
  const line = (fields: { pressure?: unknown }) => void logged.push(fields.pressure);
  const tier = { bound: 100, setBound: () => undefined };
  const used = { rss: 800, heapUsed: 0, external: 0 };
  const tests = { relieved: 0 };
  const guard = new MemoryGuard({
    probe: {
      memoryUsage: () => used,
      constrainedMemory: () => 0,
      totalMemory: () => 10_000,
      heapLimit: () => 1_000,
    },
    tier,
    log: { warn: line, info: line } as unknown as Logger,
    settings: () => ({ limit: 1_000, tierBytes: 100, connections: 8 }),
    relieve: () => {
      tests.relieved += 1;
      used.rss = after;
      return true;
    },
    every: () => () => undefined,
  });
  guard.check();
  guard.check();
  expect(tests.relieved).toBe(1);
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
    expect(reclaimer?.relieve()).toBe(true);
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

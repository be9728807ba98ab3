import { expect, onTestFinished } from 'vitest';
import { until } from './until.ts';

const watched = new Set([
  'TCPSocketWrap',
  'TCPServerWrap',
  'TLSWrap',
  'FSEventWrap',
  'ProcessWrap',
]);

/** The kinds of sockets, servers and processes that are open now, one entry each. */
export function openHandles(): string[] {
  return process.getActiveResourcesInfo().filter((name) => watched.has(name));
}

/**
 * Call it first in a test: when the test and all it registered after this call are finished, no
 * more sockets and servers may be open than before.
 */
export function expectNoLeaks(): void {
  const before = openHandles().length;
  onTestFinished(async () => {
    await until(
      () => openHandles().length <= before,
      `no leaked handles, had ${before}, open at the end of the test: ${openHandles().join(', ')}`,
    );
  });
}

/** How many threads of ours there are now. */
export function openWorkers(): number {
  const report: unknown = process.report.getReport();
  if (typeof report !== 'object' || report === null || !('workers' in report)) return 0;
  return Array.isArray(report.workers) ? report.workers.length : 0;
}

/** The same for threads, which do not keep the process alive. Call it before what may start one. */
export function expectNoWorkers(): void {
  onTestFinished(() => {
    expect(openWorkers(), 'threads at the end of the test').toBe(0);
  });
}

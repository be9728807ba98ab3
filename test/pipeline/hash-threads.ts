import { onTestFinished } from 'vitest';
import { HashThread, type HashThreadOptions } from '../../src/pipeline/hash-thread.ts';
import { expectNoWorkers } from '../support/leaks.ts';

/** What makes a thread start. */
export const startingBytes = 32 * 2 ** 20;

/** Takes bodies, and never says anything of them. */
export const silent = new URL(
  `data:text/javascript,import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => {});`,
);

/** Ends as soon as it is asked for something. */
export const dying = new URL(
  `data:text/javascript,import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => { throw new Error('made up'); });`,
);

/** A thread of the running test, closed with it, and what it logs. */
export function hashThread(options: Omit<HashThreadOptions, 'log'> = {}) {
  expectNoWorkers();
  const logged: string[] = [];
  const debug = (_fields: unknown, message?: string): void => {
    logged.push(message ?? '');
  };
  const thread = new HashThread({ log: { debug } as HashThreadOptions['log'], ...options });
  onTestFinished(() => thread.close());
  return { thread, logged };
}

#!/usr/bin/env node
import { totalmem } from 'node:os';
import process from 'node:process';
import { getHeapStatistics } from 'node:v8';
import manifest from '../package.json' with { type: 'json' };
import type { CliIo } from './cli/io.ts';
import { nodeTooOld } from './cli/node-version.ts';

await main();

async function main(): Promise<void> {
  const wrong = nodeTooOld(process.versions.node, manifest.engines.node);
  if (wrong !== undefined) {
    process.stderr.write(`${wrong}\n`);
    process.exit(2);
  }
  let crashed = (error: unknown): void => {
    process.stderr.write(`millrace: ${error instanceof Error ? error.stack : String(error)}\n`);
  };
  // Unhandled rejections come here too. The state is unknown: say it and end.
  process.on('uncaughtException', (error) => {
    crashed(error);
    process.exit(1);
  });
  // Whoever read our output has gone: there is nobody left to tell, and it is no reason to end.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  const io: CliIo = {
    stdout: process.stdout,
    stderr: process.stderr,
    isTerminal: process.stdout.isTTY === true,
    env: process.env,
    cwd: process.cwd(),
    processes: { own: process.pid, isRunning },
    probe: {
      memoryUsage: () => process.memoryUsage(),
      cpuUsage: () => process.cpuUsage(),
      constrainedMemory: () => process.constrainedMemory(),
      totalMemory: totalmem,
      heapLimit: () => getHeapStatistics().heap_size_limit,
    },
    loadFfi,
    version: manifest.version,
    nodeVersion: process.versions.node,
    async hostDefaults() {
      const { readHostDefaults } = await import('./config/host-defaults.ts');
      const { hostFiles, hostNpmRegistry } = await import('./config/host.ts');
      return readHostDefaults(hostFiles, hostNpmRegistry);
    },
    onSignal: (signal, listener) => void process.on(signal, listener),
    onCrash: (listener) => {
      crashed = listener;
    },
    exit: (code) => process.exit(code),
  };
  // After the check above: an older Node might not even load the rest.
  const { run } = await import('./cli/program.ts');
  const code = await run(process.argv.slice(2), io);
  // On some systems a pipe takes its text later; an idle connection must not keep the process.
  process.stdout.write('', () => process.exit(code));
}

/** Without Node's word on how new it is: whoever runs Millrace can do nothing about that. */
function loadFfi(): unknown {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return process.getBuiltinModule('node:ffi');
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Whether there is a process of this number; one of somebody else's is one, too. */
function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

import type { Writable } from 'node:stream';
import type { HostDefaults } from '../config/host-defaults.ts';
import type { GatewayIo } from '../gateway.ts';
import type { ProcessTable } from '../gateway-get-file.ts';

export type Signal = 'SIGTERM' | 'SIGINT' | 'SIGHUP';

/** All that a command has of the process it runs in. */
export interface CliIo extends GatewayIo {
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly processes: ProcessTable;
  /** Where the system begins, instead of `/`, and how its programs are run. */
  readonly root?: string;
  /** As Node names it, instead of this one. */
  readonly platform?: string;
  readonly run?: (program: string, ...args: string[]) => Promise<void>;
  hostDefaults(): Promise<HostDefaults>;
  onSignal(signal: Signal, listener: () => void): void;
  /** Called once with what nothing caught, before the process ends with 1. */
  onCrash(listener: (error: unknown) => void): void;
  /** Ends the process at once. */
  exit(code: number): void;
}

/**
 * Exit codes: a failure, such as a port in use; a command line or configuration that cannot be used.
 * Those of downloads: what a server did not give, and may give later; what it refused; bytes that are
 * not what they must be; a file that cannot be written.
 */
export const exitCode = {
  ok: 0,
  failure: 1,
  usage: 2,
  unavailable: 3,
  refused: 4,
  wrongBytes: 5,
  file: 6,
} as const;

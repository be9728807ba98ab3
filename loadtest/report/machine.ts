import { arch, availableParallelism, cpus, release, type } from 'node:os';
import process from 'node:process';

/** What measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly system: string;
  readonly node: string;
}

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    system: `${type()} ${release()} ${arch()}`,
    node: process.versions.node,
  };
}

/** The machine in a line. */
export function machineLine({ cpu, cores, system, node }: Machine): string {
  return `${cores} × ${cpu}, ${system}, Node ${node}`;
}

import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { CliIo } from './io.ts';

/** What the command line says: a folder, true for the working directory, undefined for none. */
export interface ProfileOptions {
  readonly cpuProf?: string | true;
  readonly heapProf?: string | true;
}

interface Profile {
  readonly file: string;
  stop(): Promise<object>;
}

/** The profiles of a run that is going on. */
export interface Profiles {
  /** Ends them and writes their files, whose names it says; rejects where that fails. */
  write(): Promise<void>;
}

/**
 * Begins the profiles that are wanted and makes their folders; rejects where these cannot be made.
 * The inspector is loaded only where there is something to do.
 */
export async function startProfiles(options: ProfileOptions, io: CliIo): Promise<Profiles> {
  const { cpuProf, heapProf } = options;
  const running: Profile[] = [];
  if (cpuProf !== undefined || heapProf !== undefined) {
    const { startCpuProfile, startHeapProfile } = await import('../telemetry/profiler.ts');
    const begun = new Date().toISOString().replaceAll(/[:.]/g, '-');
    const name = `millrace-${begun}-${io.processes.own}`;
    const begin = async (
      place: string | true | undefined,
      suffix: string,
      start: typeof startCpuProfile,
    ): Promise<void> => {
      if (place === undefined) return;
      const folder = place === true ? io.cwd : resolve(io.cwd, place);
      await mkdir(folder, { recursive: true });
      const { stop } = await start();
      running.push({ file: join(folder, `${name}.${suffix}`), stop });
    };
    await begin(cpuProf, 'cpuprofile', startCpuProfile);
    await begin(heapProf, 'heapprofile', startHeapProfile);
  }
  return {
    async write() {
      for (const { file, stop } of running.splice(0)) {
        await writeFile(file, JSON.stringify(await stop()));
        io.stderr.write(`profile written to ${file}\n`);
      }
    },
  };
}

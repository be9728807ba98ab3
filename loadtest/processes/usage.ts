import { readFile } from 'node:fs/promises';

/** What a server has used until now, its children included; zero where `/proc` does not tell. */
export interface Usage {
  /** User and system time in milliseconds. */
  readonly cpuMs: number;
  /** Resident memory in bytes. */
  readonly rss: number;
}

/** Linux counts CPU time in hundredths of a second for every program. */
const msPerTick = 10;

export async function usageOf(pid: number): Promise<Usage> {
  let cpuMs = 0;
  let rss = 0;
  for (const one of [pid, ...(await childrenOf(pid))]) {
    const stat = await readProc(one, 'stat');
    // The second field, the name in brackets, may hold blanks.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    cpuMs += (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * msPerTick;
    const resident = /^VmRSS:\s+(\d+) kB/m.exec(await readProc(one, 'status'))?.[1];
    rss += Number(resident ?? 0) * 1024;
  }
  return { cpuMs, rss };
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readProc(pid, `task/${pid}/children`);
  return text.split(' ').filter(Boolean).map(Number);
}

async function readProc(pid: number, name: string): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/${name}`, 'latin1');
  } catch (error) {
    // Gone, or a system without /proc: there is nothing to count.
    if (error instanceof Error && 'code' in error) return '';
    throw error;
  }
}

import { readFileSync } from 'node:fs';

/** Linux's account of this process's reads and writes: proc_pid_io(5). */
const account = '/proc/self/io';

/** Bytes that were read from media for this process, so far; undefined where the system does not say. */
export function fetchedBytes(): number | undefined {
  let text: string;
  try {
    text = readFileSync(account, 'latin1');
  } catch {
    // Another system, or one that hides it: both are ways not to say.
    return undefined;
  }
  const [, bytes] = /^read_bytes: (\d+)$/m.exec(text) ?? [];
  return bytes === undefined ? undefined : Number(bytes);
}

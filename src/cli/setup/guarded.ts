import { type CliIo, exitCode } from '../io.ts';

/** Runs a command: what a user can mend is said in a sentence, anything else is our mistake. */
export async function guarded(
  io: CliIo,
  finish: (code: number) => void,
  action: () => Promise<number>,
): Promise<void> {
  try {
    finish(await action());
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    io.stderr.write(`millrace: ${error.message}\n`);
    finish(exitCode.failure);
  }
}

/** A command of this folder. */
export interface Command<O extends { readonly help: boolean }> {
  readonly usage: string;
  /** Throws an Error with what is wrong with the words. */
  readonly read: (args: readonly string[]) => O;
  /** Resolves with the exit code. */
  readonly run: (options: O) => Promise<number>;
}

/** Runs it, or says how it is used; 2 stands for misuse. */
export async function runCommand<O extends { readonly help: boolean }>(
  { usage, read, run }: Command<O>,
  args: readonly string[],
): Promise<number> {
  let options: O;
  try {
    options = read(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    return 2;
  }
  if (!options.help) return run(options);
  console.log(usage);
  return 0;
}

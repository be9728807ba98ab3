import type { Command } from 'commander';
import { byteRateHint, parseByteRate } from '../core/byte-rate.ts';
import type { GetOptions } from './get.ts';
import { getTargets } from './get-targets.ts';
import { type CliIo, exitCode } from './io.ts';

const mostConnections = 64;

const help = `
FILE.part and FILE.part.json hold what has come until it is whole: the same command goes on there.

It ends with 0 when all files are there; else with the first failure's code:
  1  something unexpected
  2  the command line or the configuration cannot be used
  3  a server cannot be reached, broke off or is overloaded; worth another attempt later
  4  a server refused (404, 403, …)
  5  the bytes are not those of the checksum; no file is left
  6  the file cannot be written: disk full, no permission, a file is there already
  130, 143  interrupted by Ctrl-C, by SIGTERM
`;

/** `millrace get`: downloads files as the gateway would, without one. */
export function addGet(parent: Command, io: CliIo, finish: (code: number) => void): void {
  const command = parent
    .command('get')
    .argument('<url...>', 'http or https URLs')
    .description('download files from the fastest mirrors, in parallel, verified and resumable')
    .option('-o, --output <file>', 'where the file goes; what is there is replaced')
    .option('-O, --output-dir <dir>', 'where files go that are named by their URLs')
    .option(
      '--checksum <algorithm:hex>',
      'what the bytes must have, such as sha256:…; once for each URL',
      (value: string, all: readonly string[] = []) => [...all, value],
    )
    .option('--no-mirrors', 'ask only the place that each URL names')
    .option('--connections <n>', 'the most at once for one file', '8')
    .option('--limit <rate>', 'the most for all together, such as 10MiB/s')
    .option('-c, --config <file>', "the gateway's YAML file (also: MILLRACE_CONFIG)")
    .option('--json', 'an event a line, for programs')
    .addHelpText('after', help);
  command.action(async (urls: readonly string[]) => {
    const options = readOptions(urls, command.opts(), io);
    if ('problems' in options) {
      io.stderr.write(options.problems.map((problem) => `millrace: ${problem}\n`).join(''));
      return finish(exitCode.usage);
    }
    // Only here: the other commands start without all that it needs.
    const { get } = await import('./get.ts');
    const { createDownloads } = await import('../gateway-get.ts');
    finish(await get(options, io, createDownloads));
  });
}

type Given = Readonly<Record<string, unknown>>;

function readOptions(
  urls: readonly string[],
  given: Given,
  { cwd, version }: CliIo,
): GetOptions | { readonly problems: readonly string[] } {
  const problems: string[] = [];
  const connections = Number(given.connections);
  if (!(Number.isInteger(connections) && connections >= 1 && connections <= mostConnections)) {
    problems.push(
      `--connections ${given.connections}: give a whole number from 1 to ${mostConnections}`,
    );
  }
  const limit = textOf(given.limit);
  const bandwidth = limit === undefined ? undefined : parseByteRate(limit);
  if (limit !== undefined && (bandwidth === undefined || bandwidth < 1024)) {
    problems.push(`--limit ${limit}: give ${byteRateHint}, 1KiB/s at the least`);
  }
  const found = getTargets(urls, {
    cwd,
    version,
    output: textOf(given.output),
    outputDir: textOf(given.outputDir),
    checksums: Array.isArray(given.checksum) ? given.checksum.map(String) : [],
  });
  if (!found.ok) problems.push(...found.problems);
  if (!found.ok || problems.length > 0) return { problems };
  return {
    targets: found.targets,
    connections,
    bandwidth,
    mirrors: given.mirrors !== false,
    config: textOf(given.config),
    json: given.json === true,
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

import type { Command } from 'commander';
import { byteSizeHint, parseByteSize } from '../core/byte-size.ts';
import { GatewayError } from '../core/errors.ts';
import type { MirrorRanking, ProbedMirror } from '../gateway-get-probe.ts';
import { load, printProblems, printWarnings } from './configuration.ts';
import { urlWithFields } from './get-targets.ts';
import { humanBytes, humanTime } from './human.ts';
import { type CliIo, exitCode } from './io.ts';
import { type Column, tableLines } from './table.ts';

/** `millrace optimize`: which of the places that have a file would be done with it first. */
export function addOptimize(parent: Command, io: CliIo, finish: (code: number) => void): void {
  const command = parent
    .command('optimize')
    .argument('<url>', 'an http or https URL')
    .description('rank the mirrors for a URL by fetching a piece from each')
    .option('--probe <size>', 'how much to fetch from each', '4MiB')
    .option('-c, --config <file>', "the gateway's YAML file (also: MILLRACE_CONFIG)")
    .option('--json', 'as JSON');
  command.action(async (text: string) => {
    const given: Readonly<Record<string, unknown>> = command.opts();
    const bytes = parseByteSize(String(given.probe));
    const asked = urlWithFields(text, io.version);
    if (asked === undefined || bytes === undefined || bytes === 0) {
      if (asked === undefined) io.stderr.write(`millrace: ${text}: give an http or https URL\n`);
      else io.stderr.write(`millrace: --probe ${given.probe}: give ${byteSizeHint}, not 0\n`);
      return finish(exitCode.usage);
    }
    const file = typeof given.config === 'string' ? { file: given.config } : {};
    const loaded = await load({ ...file, flags: {} }, io);
    if (!loaded.ok) {
      printProblems(loaded.problems, io);
      return finish(exitCode.usage);
    }
    printWarnings(loaded.warnings, io);
    const { probeMirrors } = await import('../gateway-get-probe.ts');
    try {
      const { url, headers } = asked;
      const ranking = await probeMirrors(loaded.config, url, { headers, bytes });
      const json = given.json === true;
      io.stdout.write(json ? `${JSON.stringify(ranking, null, 2)}\n` : rankingText(ranking));
      finish(exitCode.ok);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      io.stderr.write(`millrace: ${asked.url}: ${error.message}\n`);
      const refused = error.receivedStatus !== undefined && !error.retryable;
      finish(refused ? exitCode.refused : exitCode.unavailable);
    }
  });
}

const columns: readonly Column[] = [
  { head: '', side: 'right' },
  { head: 'mirror', side: 'left' },
  { head: 'connect', side: 'right' },
  { head: 'first byte', side: 'right' },
  { head: 'speed', side: 'right' },
  { head: 'expected', side: 'right' },
  { head: '', side: 'left' },
];

function rankingText({ url, size, etag, mirrors, excluded }: MirrorRanking): string {
  const what = [
    size === null ? 'of unknown length' : humanBytes(size),
    etag === null ? 'without a strong entity tag' : `entity tag ${etag}`,
  ];
  const rows = mirrors.map((mirror, at) => rowOf(mirror, at));
  const others = excluded.map(({ origin, reason }) => [
    '–',
    hostOf(origin),
    '',
    '',
    '',
    '',
    reason,
  ]);
  const alone = mirrors.length + excluded.length === 1 ? ['No mirror is known for this URL.'] : [];
  const table = tableLines(columns, [...rows, ...others]);
  return `${[`${url}: ${what.join(', ')}`, ...table, ...alone].join('\n')}\n`;
}

function rowOf(mirror: ProbedMirror, at: number): readonly string[] {
  const { origin, connectMs, firstByteMs, bytesPerSecond, expectedMs, fault, region } = mirror;
  const ms = (value: number | null): string => (value === null ? '' : `${Math.round(value)} ms`);
  return [
    fault === null ? String(at + 1) : '–',
    hostOf(origin),
    ms(connectMs),
    ms(firstByteMs),
    bytesPerSecond === null ? '' : `${humanBytes(bytesPerSecond)}/s`,
    expectedMs === null ? '' : humanTime(expectedMs / 1000),
    fault ?? region ?? '',
  ];
}

function hostOf(origin: string): string {
  return origin.replace(/^https?:\/\//, '');
}

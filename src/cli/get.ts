import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { createDownloads, Downloads, DownloadsOptions } from '../gateway-get.ts';
import { fetchFile } from '../gateway-get-attempts.ts';
import { load, printProblems, printWarnings } from './configuration.ts';
import { getFailure } from './get-failure.ts';
import { jsonReport } from './get-json.ts';
import { linesReport } from './get-lines.ts';
import type { EndedItem, GetItem, GetReport, GetResult } from './get-report.ts';
import { resultBefore } from './get-standing.ts';
import type { GetTarget } from './get-targets.ts';
import { terminalReport } from './get-terminal.ts';
import { type CliIo, exitCode, type Signal } from './io.ts';

export interface GetOptions extends Omit<DownloadsOptions, 'processes' | 'warn'> {
  readonly targets: readonly GetTarget[];
  /** A file of the gateway's configuration. */
  readonly config: string | undefined;
  readonly json: boolean;
  /** Instead of the system's timers; rejects when the signal is aborted. */
  readonly wait?: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Downloads at a time; the others wait. */
const mostAtOnce = 4;

/**
 * Downloads files; resolves with the exit code: that of the first in the order of the command line
 * that failed, 128 and the signal's number after an interruption. The first SIGINT or SIGTERM ends it
 * in order, what has come is kept; the second ends the process.
 */
export async function get(
  options: GetOptions,
  io: CliIo,
  open: typeof createDownloads,
): Promise<number> {
  const { targets, config } = options;
  const loaded = await load({ ...(config !== undefined && { file: config }), flags: {} }, io);
  if (!loaded.ok) {
    printProblems(loaded.problems, io);
    return exitCode.usage;
  }
  printWarnings(loaded.warnings, io);
  const stop = new AbortController();
  const interruptedBy = listen(io, stop);
  const { processes } = io;
  const warn = (text: string): void => printWarnings([text], io);
  const downloads = await open(loaded.config, { ...options, processes, warn });
  const report = reportFor(options, io);
  const around = { downloads, report, signal: stop.signal, wait: options.wait ?? wait };
  const ended: EndedItem[] = [];
  const waiting = [...targets.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [at, target] = next;
      ended[at] = await one(target, around);
    }
  };
  await Promise.all(Array.from({ length: mostAtOnce }, work));
  const code = interruptedBy() ?? firstFailure(ended);
  report.close(ended, code);
  await downloads.close();
  return code;
}

interface Around {
  readonly downloads: Downloads;
  readonly report: GetReport;
  readonly signal: AbortSignal;
  readonly wait: NonNullable<GetOptions['wait']>;
}

async function one(target: GetTarget, around: Around): Promise<EndedItem> {
  const { downloads, report } = around;
  const { url, name, target: path } = target;
  const file = downloads.file(target);
  const item: GetItem = { url, name, target: path, progress: () => file.progress };
  const started = performance.now();
  const bring = async (): Promise<GetResult> => {
    const { signal, wait } = around;
    const before = await resultBefore(target, file.digest);
    if (before !== undefined) return before;
    await mkdir(dirname(path), { recursive: true });
    report.started(item);
    const retrying: Parameters<typeof fetchFile>[1]['retrying'] = (error, milliseconds) =>
      report.retrying(item, error, milliseconds);
    const fetched = await fetchFile(file, { signal, wait, retrying });
    return { kind: 'done', file: fetched, seconds: (performance.now() - started) / 1000 };
  };
  const result = around.signal.aborted
    ? ({ kind: 'interrupted' } as const)
    : await bring().catch(
        (error: unknown): GetResult =>
          around.signal.aborted
            ? { kind: 'interrupted' }
            : { kind: 'failed', failure: getFailure(error, file.progress, path) },
      );
  report.ended(item, result);
  return { item, result };
}

/** The code of the signal that came, if one did. */
function listen(io: CliIo, stop: AbortController): () => number | undefined {
  let code: number | undefined;
  const on = (signal: Signal, number: number): void =>
    io.onSignal(signal, () => {
      // The shell's way to say that a signal ended a process.
      if (code !== undefined) io.exit(128 + number);
      code ??= 128 + number;
      stop.abort();
    });
  on('SIGINT', 2);
  on('SIGTERM', 15);
  return () => code;
}

function reportFor({ json }: GetOptions, io: CliIo): GetReport {
  if (json) return jsonReport(io.stdout);
  if (io.isTerminal && io.env.TERM !== 'dumb') return terminalReport(io);
  return linesReport(io.stdout, io.stderr);
}

function firstFailure(ended: readonly EndedItem[]): number {
  for (const { result } of ended) if (result.kind === 'failed') return result.failure.exitCode;
  return exitCode.ok;
}

function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return pause(milliseconds, undefined, { signal });
}

import type { Writable } from 'node:stream';
import type { EndedItem, GetItem, GetReport, GetResult, GetView } from './get-report.ts';
import { GetViews, placesOf } from './get-report.ts';
import { humanBytes, humanTime } from './human.ts';

/** How often a download under way is told of, in milliseconds. */
const everyMs = 10_000;

/** A line for each thing that happens, for logs and pipes; what went wrong goes to `stderr`. */
export function linesReport(stdout: NodeJS.WritableStream, stderr: Writable): GetReport {
  const views = new GetViews();
  const timer = setInterval(() => {
    for (const view of views.look(performance.now())) stdout.write(`${progressLine(view)}\n`);
  }, everyMs).unref();
  return {
    started(item) {
      views.add(item);
      stdout.write(`${item.name}: from ${item.url}\n`);
    },
    retrying(item, error, milliseconds) {
      stderr.write(`${retryLine(item, error.message, milliseconds)}\n`);
    },
    ended(item, result) {
      views.delete(item);
      if (result.kind !== 'failed') stdout.write(`${resultLine(item, result)}\n`);
    },
    close(results) {
      clearInterval(timer);
      stderr.write(failureLines(results));
    },
  };
}

/** Those that failed, at the end where they are seen. */
export function failureLines(results: readonly EndedItem[]): string {
  const lines = results.flatMap(({ item, result }) =>
    result.kind === 'failed' ? [`millrace: ${resultLine(item, result)}`] : [],
  );
  if (lines.length > 0 && results.length > 1) {
    lines.push(`millrace: ${lines.length} of ${results.length} downloads failed`);
  }
  return lines.map((line) => `${line}\n`).join('');
}

export function resultLine(item: GetItem, result: GetResult): string {
  const { name } = item;
  switch (result.kind) {
    case 'done': {
      const { file, seconds } = result;
      const { resumed } = item.progress();
      const rate = humanBytes((file.size - resumed) / Math.max(seconds, 0.001));
      const rest = resumed > 0 ? ` (${humanBytes(resumed)} were there)` : '';
      const from = placesOf(item.progress()).join(', ');
      return `${name}: ${humanBytes(file.size)}${rest} in ${humanTime(seconds)}, ${rate}/s, from ${from}`;
    }
    case 'there':
      return `${name}: is there, with that checksum`;
    case 'failed':
      return `${name}: ${result.failure.message}`;
    case 'interrupted':
      return interruptedLine(item);
  }
}

export function retryLine({ name }: GetItem, message: string, milliseconds: number): string {
  return `${name}: ${message}; once more in ${humanTime(milliseconds / 1000)}`;
}

function progressLine({ item, received, size, bytesPerSecond = 0, secondsLeft }: GetView): string {
  const of = size === undefined ? '' : ` of ${humanBytes(size)}`;
  const left = secondsLeft === undefined ? '' : `, ${humanTime(secondsLeft)} left`;
  return `${item.name}: ${humanBytes(received)}${of}, ${humanBytes(bytesPerSecond)}/s${left}`;
}

function interruptedLine({ name, progress }: GetItem): string {
  const { kept } = progress();
  return kept === 0
    ? `${name}: interrupted`
    : `${name}: interrupted; the same command goes on from the ${humanBytes(kept)} that are kept`;
}

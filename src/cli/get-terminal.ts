import type { Writable } from 'node:stream';
import { createLogUpdate } from 'log-update';
import { barLines } from './get-bars.ts';
import { failureLines, resultLine, retryLine } from './get-lines.ts';
import type { GetReport } from './get-report.ts';
import { GetViews } from './get-report.ts';
import type { CliIo } from './io.ts';

/** How often the bars are drawn, in milliseconds. */
const everyMs = 100;

/** Bars at the foot of a terminal, what has ended above them. */
export function terminalReport({ stdout, stderr, env }: CliIo): GetReport {
  const views = new GetViews();
  const screen = screenOf(stdout);
  // It writes to it, and asks for its size, and for nothing else.
  const paint = createLogUpdate(screen as unknown as Writable);
  const unicode = showsUnicode(env);
  const draw = (): void => {
    const { columns } = screen;
    const lines = barLines(views.look(performance.now()), { columns, unicode });
    if (lines.length === 0) paint.clear();
    else paint(lines.join('\n'));
  };
  const say = (line: string): void => {
    paint.clear();
    stdout.write(`${line}\n`);
    if (views.items.length > 0) draw();
  };
  const timer = setInterval(draw, everyMs).unref();
  return {
    started(item) {
      views.add(item);
      draw();
    },
    retrying: (item, error, milliseconds) => say(retryLine(item, error.message, milliseconds)),
    ended(item, result) {
      views.delete(item);
      if (result.kind === 'failed') say(`${item.name}: failed`);
      else say(resultLine(item, result));
    },
    close(results) {
      clearInterval(timer);
      paint.clear();
      paint.done();
      stderr.write(failureLines(results));
    },
  };
}

interface Screen {
  readonly isTTY: boolean;
  /** Cells of a line, and lines. */
  readonly columns: number;
  readonly rows: number;
  write(text: string): void;
}

/** The terminal, with a size as it is at each moment: one that nobody has given a size says 0 by 0. */
function screenOf(stdout: CliIo['stdout']): Screen {
  const terminal: Partial<Omit<Screen, 'write'>> = stdout;
  return {
    isTTY: terminal.isTTY === true,
    get columns() {
      return terminal.columns || 80;
    },
    get rows() {
      return terminal.rows || 24;
    },
    write: (text) => void stdout.write(text),
  };
}

/** As the locale says; without one it is not known, and then it is better not to try. */
function showsUnicode(env: CliIo['env']): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return /utf-?8/i.test(locale);
}

import type { DestinationStream } from 'pino';
import { prettyFactory } from 'pino-pretty';

/**
 * Turns each JSON line into one for people, at once, so that the last line before an exit is not
 * lost in a pipeline. A request's two dozen fields become one sentence.
 */
export function prettyDestination(
  stream: NodeJS.WritableStream,
  colour: boolean,
): DestinationStream {
  const prettify = prettyFactory({
    colorize: colour,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    errorLikeObjectKeys: [],
  });
  return {
    write(line: string): void {
      const entry: unknown = JSON.parse(line);
      stream.write(prettify(isRequest(entry) ? summary(entry) : entry));
    },
  };
}

type Entry = Readonly<Record<string, unknown>>;

function isRequest(entry: unknown): entry is Entry {
  return typeof entry === 'object' && entry !== null && 'outcome' in entry && 'bytesOut' in entry;
}

function summary(entry: Entry): Entry {
  const { level, time, method, target, status, outcome, durationMs, bytesOut } = entry;
  const { error, detail, aborted } = entry;
  const left = aborted === true ? ', the client left' : '';
  return {
    level,
    time,
    msg: `${method} ${target} ${status} ${outcome} ${bytesOut} B in ${durationMs} ms${left}`,
    ...(error === undefined ? {} : { error }),
    ...(detail === undefined ? {} : { detail }),
  };
}

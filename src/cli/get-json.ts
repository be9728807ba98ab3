import type { GetItem, GetReport, GetResult, GetView } from './get-report.ts';
import { GetViews } from './get-report.ts';

/** How often a download under way is told of, in milliseconds. */
const everyMs = 1_000;

/** One JSON object a line: `start`, `progress`, `retry`, `done`, `there`, `failed`, `interrupted`, `end`. */
export function jsonReport(stdout: NodeJS.WritableStream): GetReport {
  const views = new GetViews();
  const say = (event: string, fields: object): void =>
    void stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
  const timer = setInterval(() => {
    for (const view of views.look(performance.now())) say('progress', progressFields(view));
  }, everyMs).unref();
  return {
    started(item) {
      views.add(item);
      say('start', named(item));
    },
    retrying(item, error, milliseconds) {
      const { code, message } = error;
      say('retry', { ...named(item), code, message, inSeconds: milliseconds / 1000 });
    },
    ended(item, result) {
      views.delete(item);
      say(result.kind, { ...named(item), ...resultFields(item, result) });
    },
    close(results, code) {
      clearInterval(timer);
      const count = (kind: GetResult['kind']): number =>
        results.filter(({ result }) => result.kind === kind).length;
      const [done, there, failed] = [count('done'), count('there'), count('failed')];
      say('end', { done, there, failed, interrupted: count('interrupted'), exitCode: code });
    },
  };
}

function named({ url, target }: GetItem): object {
  return { url, file: target };
}

function progressFields(view: GetView): object {
  const { item, received, size, bytesPerSecond, secondsLeft, sources } = view;
  const known = {
    size: size ?? null,
    bytesPerSecond: bytesPerSecond === undefined ? null : Math.round(bytesPerSecond),
    secondsLeft: secondsLeft === undefined ? null : Math.ceil(secondsLeft),
  };
  return { ...named(item), received, ...known, mirrors: sources };
}

function resultFields(item: GetItem, result: GetResult): object {
  const { received, size, kept, resumed, sources } = item.progress();
  switch (result.kind) {
    case 'done': {
      const { file, seconds } = result;
      return { ...file, seconds, resumed, mirrors: sources };
    }
    case 'there':
      return { size: result.size };
    case 'failed':
      return { ...result.failure, received, size: size ?? null, kept };
    case 'interrupted':
      return { received, size: size ?? null, kept };
  }
}

import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { parseArgs } from 'node:util';

/** What is read of a `.cpuprofile`. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

process.exitCode = await main(process.argv.slice(2));

/** Prints where the time of a `.cpuprofile` went, by function: its own, and with what it called. */
async function main(args: readonly string[]): Promise<number> {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { top: { type: 'string', default: '25' } },
  });
  const [file] = positionals;
  const top = Number(values.top);
  if (file === undefined || !Number.isSafeInteger(top)) {
    console.error('Usage: node loadtest/profile.ts FILE.cpuprofile [--top 25]');
    return 2;
  }
  const { own, all, busy } = timesOf(JSON.parse(await readFile(file, 'utf8')) as CpuProfile);
  print('own time', own, busy, top);
  print('with callees', all, busy, top);
  return 0;
}

/** Microseconds by function, the idle ones left out. */
function timesOf({ nodes, samples, timeDeltas }: CpuProfile): {
  own: Map<string, number>;
  all: Map<string, number>;
  busy: number;
} {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(
    nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)),
  );
  const own = new Map<string, number>();
  const all = new Map<string, number>();
  let busy = 0;
  for (const [i, sample] of samples.entries()) {
    const name = nameOf(byId.get(sample)?.callFrame);
    if (name === '(idle)' || name === '(program)') continue;
    const us = timeDeltas[i] ?? 0;
    busy += us;
    own.set(name, (own.get(name) ?? 0) + us);
    const seen = new Set<string>();
    for (let id: number | undefined = sample; id !== undefined; id = parents.get(id)) {
      seen.add(nameOf(byId.get(id)?.callFrame));
    }
    for (const caller of seen) all.set(caller, (all.get(caller) ?? 0) + us);
  }
  return { own, all, busy };
}

function nameOf(frame: CpuProfile['nodes'][number]['callFrame'] | undefined): string {
  if (!frame) return '(unknown)';
  const { functionName, url, lineNumber } = frame;
  const place = url.replace(/^file:\/\/.*?\/(?=src\/|node_modules\/)/, '');
  return `${functionName || '(anonymous)'}${place === '' ? '' : ` ${place}:${lineNumber + 1}`}`;
}

function print(title: string, times: Map<string, number>, busy: number, top: number): void {
  console.log(`\n${title}, share of the time that was not idle`);
  for (const [name, us] of [...times].sort(([, a], [, b]) => b - a).slice(0, top)) {
    console.log(`${((us / busy) * 100).toFixed(1).padStart(6)} %  ${name}`);
  }
}

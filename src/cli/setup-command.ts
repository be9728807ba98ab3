import { type Command, Option } from 'commander';
import { addConfigOptions, configSource, load, printProblems } from './configuration.ts';
import { type CliIo, exitCode } from './io.ts';
import { changeLines, environmentLines } from './setup/change-text.ts';
import { guarded } from './setup/guarded.ts';
import type { JournalRecord } from './setup/journal.ts';
import type { SetupMode, SetupScope } from './setup/tool.ts';

const scopes = ['user', 'project'] as const;

/** `millrace setup <tool>` and `millrace setup undo <tool>`. */
export function addSetup(parent: Command, io: CliIo, finish: (code: number) => void): void {
  const command = parent
    .command('setup')
    .description('point a package manager at the gateway; undo takes it back')
    // Options after `undo` are its own.
    .enablePositionalOptions()
    .argument('<tool>', 'npm, pnpm, yarn, pip, uv, cargo, go, maven, gradle, gem, bundler, …')
    .addOption(
      new Option('--registry', 'as its registry (what most tools do without a flag)').conflicts(
        'proxy',
      ),
    )
    .option('--proxy', 'as its proxy, with the certificate authority of the gateway')
    .addOption(new Option('--scope <scope>', 'for whom').choices(scopes).default('user'))
    .option('--dry-run', 'say what would change, and change nothing')
    .option('--url <url>', 'the gateway; without it the one of the configuration')
    .option('--ca <file>', "the certificate of the gateway's authority (PEM)");
  addConfigOptions(command).action(async (tool: string) => {
    await guarded(io, finish, () => setUp(tool, command, io));
  });
  const undo = command
    .command('undo')
    .description('put the files of a tool back as they were')
    .argument('<tool>')
    .addOption(new Option('--scope <scope>', 'only this one').choices(scopes))
    .option('--dry-run', 'say what would change, and change nothing')
    .option('--force', 'also where somebody has changed the files since');
  undo.action(async (tool: string) => {
    await guarded(io, finish, () => undoSetup(tool, undo, io));
  });
}

async function setUp(name: string, command: Command, io: CliIo): Promise<number> {
  const { toolNamed } = await import('./setup/tools.ts');
  const { findGateway } = await import('./setup/find-gateway.ts');
  const { carryOut, setupOf, unwind } = await import('./setup/change.ts');
  const { Journal } = await import('./setup/journal.ts');
  const { hostPlace } = await import('./setup/host-place.ts');
  const tool = toolNamed(name);
  const given: Readonly<Record<string, unknown>> = command.opts();
  const loaded = await load(configSource(command), io);
  if (!loaded.ok) {
    printProblems(loaded.problems, io);
    return exitCode.usage;
  }
  const scope: SetupScope = given.scope === 'project' ? 'project' : 'user';
  const mode = modeOf(given) ?? tool.defaultMode ?? 'registry';
  const options = { config: loaded.config, url: text(given.url), ca: text(given.ca) };
  const { place: gateway, asked, trust } = await findGateway(options, io.now ?? Date.now);
  if (!asked.ok) {
    io.stderr.write(
      `warning: no gateway answers at ${gateway.url} (${asked.detail}); its mounts are taken from the configuration\n`,
    );
  }
  const journal = new Journal(hostPlace(io));
  const records = journal.read(tool.id);
  const folder = scope === 'project' ? io.cwd : undefined;
  const own = records.filter((record) => record.scope === scope && record.folder === folder);
  const back = unwind(own);
  // What was changed by hand since stays: the new setup stands on it, and undo knows both.
  const isClean = back.changed.length === 0;
  const base = isClean ? back : unwind([]);
  const place = hostPlace(io, base.restored);
  const isTrusted = mode === 'proxy' || gateway.url.startsWith('https:');
  const ask = { place, gateway, mode, scope, ...(isTrusted && trust && { trust }) };
  const plan = tool.plan(ask);
  const setup = setupOf(plan.files, base, { mode, scope, folder, url: gateway.url });
  const dry = given.dryRun === true;
  io.stdout.write(changeLines(setup.changes));
  if (!dry) {
    const others = isClean ? records.filter((record) => !own.includes(record)) : records;
    await carryOut(setup, journal, tool.id, others, records);
  }
  const lines = [
    ...(setup.changes.length === 0
      ? plan.files.length === 0
        ? []
        : [`${tool.id} is pointed at ${gateway.url} already.`]
      : [
          dry
            ? 'Nothing was written: --dry-run.'
            : `${tool.id} is pointed at ${gateway.url}. To take it back: millrace setup undo ${tool.id}`,
        ]),
    ...environmentLines(tool.id, plan.env),
    ...(plan.notes ?? []),
  ];
  io.stdout.write(lines.map((line) => `${line}\n`).join(''));
  return exitCode.ok;
}

async function undoSetup(name: string, command: Command, io: CliIo): Promise<number> {
  const { toolNamed } = await import('./setup/tools.ts');
  const { changesBack, unwind } = await import('./setup/change.ts');
  const { removeFolders, writeState } = await import('./setup/file-states.ts');
  const { Journal } = await import('./setup/journal.ts');
  const { hostPlace } = await import('./setup/host-place.ts');
  const tool = toolNamed(name);
  const { scope, dryRun, force }: Readonly<Record<string, unknown>> = command.opts();
  const journal = new Journal(hostPlace(io));
  const records = journal.read(tool.id);
  const own = records.filter((record) => isMeant(record, scope, io.cwd));
  if (own.length === 0) {
    const elsewhere = records.flatMap((record) => record.folder ?? []);
    const hint =
      elsewhere.length === 0 ? '' : `; there is in ${[...new Set(elsewhere)].join(', ')}`;
    io.stdout.write(`There is nothing to undo for ${tool.id} here${hint}.\n`);
    return exitCode.ok;
  }
  const back = unwind(own);
  if (back.changed.length > 0 && force !== true) {
    const files = back.changed.join(', ');
    throw new TypeError(
      `changed since setup: ${files}. Undo would lose that: take the gateway out by hand, or put everything back as it was before with --force`,
    );
  }
  const changes = changesBack(back);
  io.stdout.write(changeLines(changes));
  if (dryRun === true) {
    io.stdout.write('Nothing was written: --dry-run.\n');
    return exitCode.ok;
  }
  for (const { path, to } of changes) await writeState(path, to);
  await removeFolders(back.folders);
  await journal.write(
    tool.id,
    records.filter((record) => !own.includes(record)),
  );
  await journal.tidy();
  io.stdout.write(`${tool.id} is as it was before setup.\n`);
  return exitCode.ok;
}

function isMeant(record: JournalRecord, scope: unknown, cwd: string): boolean {
  if (scope !== undefined && record.scope !== scope) return false;
  return record.scope === 'user' || record.folder === cwd;
}

function modeOf({ registry, proxy }: Readonly<Record<string, unknown>>): SetupMode | undefined {
  if (proxy === true) return 'proxy';
  return registry === true ? 'registry' : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

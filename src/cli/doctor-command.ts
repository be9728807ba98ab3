import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Command } from 'commander';
import { reachable } from './announce.ts';
import { addConfigOptions, configSource, load, printProblems } from './configuration.ts';
import { type CliIo, exitCode } from './io.ts';
import type { Finding, ToolState } from './setup/finding.ts';
import { guarded } from './setup/guarded.ts';
import type { Tool } from './setup/tool.ts';

/** `millrace doctor`: what keeps tools from the gateway, and what mends it. */
export function addDoctor(parent: Command, io: CliIo, finish: (code: number) => void): void {
  const command = parent
    .command('doctor')
    .description('find what keeps a package manager from the gateway, and what mends it')
    .argument('[tool]', 'without it all that are on PATH or were set up')
    .option('--url <url>', 'the gateway; without it the one of the configuration')
    .option('--ca <file>', "the certificate of the gateway's authority (PEM)")
    .option('--json', 'the findings as JSON');
  addConfigOptions(command).action(async (tool: string | undefined) => {
    await guarded(io, finish, () => examine(tool, command, io));
  });
}

async function examine(name: string | undefined, command: Command, io: CliIo): Promise<number> {
  const { toolNamed, tools } = await import('./setup/tools.ts');
  const { findGateway } = await import('./setup/find-gateway.ts');
  const { checkGateway, checkHealth } = await import('./setup/check-gateway.ts');
  const { checkTrust } = await import('./setup/check-trust.ts');
  const { diagnose } = await import('./setup/diagnose.ts');
  const { Journal } = await import('./setup/journal.ts');
  const { hostPlace } = await import('./setup/host-place.ts');
  const given: Readonly<Record<string, unknown>> = command.opts();
  const named = name === undefined ? undefined : toolNamed(name);
  const loaded = await load(configSource(command), io);
  if (!loaded.ok) {
    printProblems(loaded.problems, io);
    return exitCode.usage;
  }
  const { config } = loaded;
  const url = text(given.url);
  const found = await findGateway({ config, url, ca: text(given.ca) }, io.now ?? Date.now);
  const { place: gateway, trust } = found;
  const place = hostPlace(io);
  const findings: Finding[] = checkGateway(found, place.env);
  if (found.asked.ok && url === undefined) {
    const { host, port } = config.admin;
    const admin = reachable(`http://${host.includes(':') ? `[${host}]` : host}:${port}`);
    if (port !== 0) findings.push(...(await checkHealth(admin)));
  }
  const journal = new Journal(place);
  const wasSetUp = journal.tools();
  const isThere = (tool: Tool): boolean =>
    wasSetUp.includes(tool.id) || tool.programs.some((each) => isOnPath(each, io));
  // What this command was told the next one has to be told, too.
  const source = configSource(command);
  const isPlain = url === undefined && !source.file && Object.keys(source.flags).length === 0;
  const more = isPlain ? '' : ` --url ${gateway.url}`;
  const states: ToolState[] = [];
  for (const tool of named ? [named] : tools.filter(isThere)) {
    const records = journal
      .read(tool.id)
      .filter(({ scope, folder }) => scope === 'user' || folder === io.cwd);
    const options = { tool, place, gateway, trust, records, named: named !== undefined, more };
    const { state, findings: own, plan } = diagnose(options);
    states.push(state);
    findings.push(...own);
    if (plan && found.asked.ok) {
      findings.push(...(await checkTrust({ tool, state, plan, gateway, more })));
    }
  }
  const ok = findings.every(({ severity }) => severity !== 'problem');
  io.stdout.write(
    given.json === true
      ? `${JSON.stringify({ url: gateway.url, ok, tools: states, findings }, undefined, 2)}\n`
      : report(gateway.url, states, findings),
  );
  return ok ? exitCode.ok : exitCode.failure;
}

/** One line for the gateway and each tool, and two for each finding. */
function report(url: string, states: readonly ToolState[], findings: readonly Finding[]): string {
  const width = Math.max('gateway'.length, ...states.map(({ tool }) => tool.length));
  const lines = (tool: string | undefined, good: string): string[] => {
    const own = findings.filter((finding) => finding.tool === tool);
    const head = (tool ?? 'gateway').padEnd(width);
    const isGood = own.every(({ severity, code }) => severity === 'note' && code !== 'not-set-up');
    const told = own.flatMap(({ severity, message, fix }) => [
      `${severity === 'problem' ? '✗' : '·'} ${message}`,
      `  → ${fix}`,
    ]);
    const all = [...(isGood ? [`✓ ${good}`] : []), ...told];
    return all.map((line, at) => `${at === 0 ? head : ' '.repeat(width)}  ${line}\n`);
  };
  return [
    ...lines(undefined, url),
    ...states.flatMap(({ tool, mode, scope }) => {
      const whose = scope === 'project' ? ' of this project' : '';
      return lines(tool, `pointed at it as its ${mode ?? 'registry'}${whose}`);
    }),
  ].join('');
}

function isOnPath(program: string, { env }: CliIo): boolean {
  return (env.PATH ?? '').split(delimiter).some((folder) => {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return statSync(path).isFile();
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (!['ENOENT', 'ENOTDIR', 'EACCES'].includes(code)) throw error;
      return false;
    }
  });
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

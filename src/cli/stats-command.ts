import type { Command } from 'commander';
import { canonicalUrl } from '../core/canonical-url.ts';
import { reachable } from './announce.ts';
import { load, printProblems } from './configuration.ts';
import { type CliIo, exitCode } from './io.ts';
import { statsText } from './stats-text.ts';

const timeoutMs = 10_000;

/** `millrace stats`: what a running gateway says of itself. */
export function addStats(parent: Command, io: CliIo, finish: (code: number) => void): void {
  const command = parent
    .command('stats')
    .description("print a running gateway's figures")
    .option('--url <url>', 'its admin side; without it the one that the configuration names')
    .option('-c, --config <file>', 'the YAML file, also for `admin.token` (also: MILLRACE_CONFIG)')
    .option('--json', 'the documents of the admin side, as JSON');
  command.action(async () => {
    const given: Readonly<Record<string, unknown>> = command.opts();
    const file = typeof given.config === 'string' ? { file: given.config } : {};
    const loaded = await load({ ...file, flags: {} }, io);
    if (!loaded.ok) {
      printProblems(loaded.problems, io);
      return finish(exitCode.usage);
    }
    const { host, port, token } = loaded.config.admin;
    const own = reachable(`http://${host.includes(':') ? `[${host}]` : host}:${port}`);
    const base = canonicalUrl(typeof given.url === 'string' ? given.url : own);
    if (base === undefined) {
      io.stderr.write(`millrace: --url ${given.url}: give one such as http://127.0.0.1:8081\n`);
      return finish(exitCode.usage);
    }
    const answers = await Promise.all(
      ['stats', 'mirrors', 'fills'].map((name) =>
        ask(`${base.replace(/\/$/, '')}/api/${name}`, token),
      ),
    );
    const [stats, mirrors, fills] = answers;
    // An older gateway may not have the others.
    if (stats === undefined || 'problem' in stats) {
      io.stderr.write(`millrace: ${stats?.problem}\n`);
      return finish(stats?.refused ? exitCode.refused : exitCode.unavailable);
    }
    const figures = {
      stats: stats.document,
      mirrors: documentOf(mirrors),
      fills: documentOf(fills),
    };
    io.stdout.write(
      given.json === true ? `${JSON.stringify(figures, null, 2)}\n` : statsText(figures),
    );
    finish(exitCode.ok);
  });
}

type Answer =
  | { readonly document: unknown }
  | { readonly problem: string; readonly refused: boolean };

async function ask(url: string, token: string | undefined): Promise<Answer> {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  try {
    // The token is for this address alone: a redirect is no answer.
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, { headers, signal, redirect: 'manual' });
    if (response.status === 401) {
      const problem = `${url} wants the admin token: set \`admin.token\` or MILLRACE_ADMIN_TOKEN`;
      return { problem, refused: true };
    }
    if (response.status !== 200) {
      const problem = `${url} answered ${response.status}: is it the admin side of a gateway?`;
      return { problem, refused: true };
    }
    return { document: await response.json() };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const why = cause instanceof Error ? cause.message : String(cause);
    const problem = `no gateway answers at ${url} (${why}): start it with millrace serve, or say where its admin side is with --url`;
    return { problem, refused: false };
  }
}

function documentOf(answer: Answer | undefined): unknown {
  return answer !== undefined && 'document' in answer ? answer.document : null;
}

import type { Config, MirrorRuleConfig } from './config/config.ts';
import { originOf } from './core/canonical-url.ts';
import type { Logger } from './core/logger.ts';
import { compilePattern, compileTemplate } from './core/url-pattern.ts';
import { type MirrorMemoryFile, openMirrorMemory } from './upstream/mirror-memory.ts';
import { type ReachableOptions, unreachable } from './upstream/mirror-probe.ts';
import type { MirrorRule, MirrorTarget } from './upstream/mirror-rules.ts';
import type { MirrorSettings } from './upstream/mirror-settings.ts';
import type { Mirrors } from './upstream/mirrors.ts';

/** What the configuration says of mirrors. */
export function mirrorSettings(config: Config): MirrorSettings {
  const { region, limits, timeouts, mirrors, presetMirrors } = config;
  const { concurrency, ecosystems, connections, bandwidth } = limits;
  return {
    ...(region !== undefined && { region }),
    ...(concurrency !== undefined && { concurrency }),
    ecosystemConcurrency: new Map(
      ecosystems.map((limit) => [limit.ecosystem, limit.concurrency] as const),
    ),
    connections,
    ...(bandwidth !== undefined && { bandwidth }),
    rules: [
      ...mirrors.flatMap((rule) => compiledRule(rule, true)),
      ...presetMirrors.flatMap((rule) => compiledRule(rule, false)),
    ],
    timeouts: {
      connectMs: timeouts.connect,
      firstByteMs: timeouts.firstByte,
      idleMs: timeouts.idle,
      floorMs: timeouts.floor,
    },
  };
}

/** Where mirrors are, for those places that stand beside others; `trusted` may be private. */
export function mirrorOrigins(config: Config): ReadonlyMap<string, boolean> {
  const origins = new Map<string, boolean>();
  for (const { pattern: _, targets } of mirrorSettings(config).rules ?? []) {
    for (const { template, trusted } of targets) origins.set(template.origin, trusted);
  }
  for (const { upstreams } of config.mounts) {
    if (upstreams.length > 1) for (const { url } of upstreams) origins.set(originOf(url), true);
  }
  return origins;
}

/** Warns of mirrors that cannot be reached: no reason not to start. */
export async function warnOfUnreachable(
  origins: ReadonlyMap<string, boolean>,
  mirrors: Mirrors,
  options: ReachableOptions & { readonly log: Logger },
): Promise<void> {
  for await (const { origin, error } of unreachable(origins, options)) {
    mirrors.failed(origin, 'tiny', error);
    options.log.warn({ mirror: origin, err: error }, 'mirror cannot be reached');
  }
}

/** What was learned of the mirrors in an earlier life; kept from now on. */
export async function rememberMirrors(
  path: string,
  mirrors: Mirrors,
  log: Logger,
): Promise<MirrorMemoryFile> {
  const file = openMirrorMemory(path, {
    memory: () => mirrors.tracker.memory,
    onTrouble: (err) => log.warn({ err, file: path }, 'what is known of the mirrors is not kept'),
  });
  const found = await file.load();
  if (
    found.kind === 'unreadable' ||
    (found.kind === 'memory' && !mirrors.tracker.restore(found.memory))
  ) {
    const err = found.kind === 'unreadable' ? found.error : undefined;
    log.warn(
      { file: path, err },
      'what was known of the mirrors cannot be read: it is learned anew',
    );
  }
  return file;
}

/** A rule of a checked configuration. */
function compiledRule({ match, to }: MirrorRuleConfig, trusted: boolean): readonly MirrorRule[] {
  const pattern = compilePattern(match);
  if (!pattern.ok) return [];
  const targets = to.flatMap(({ url, trust = 'verified', region, concurrency, bandwidth }) => {
    const template = compileTemplate(url);
    if (!template.ok) return [];
    const target: MirrorTarget = {
      template: template.value,
      trust,
      trusted,
      ...(region !== undefined && { region }),
      ...(concurrency !== undefined && { concurrency }),
      ...(bandwidth !== undefined && { bandwidth }),
    };
    return [target];
  });
  return [{ pattern: pattern.value, targets }];
}

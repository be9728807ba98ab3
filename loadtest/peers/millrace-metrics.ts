import type { Lookups } from './peer.ts';

/** Bytes in the memory tier; `admin`: URL of the admin side. */
export async function memoryTierBytes(admin: string): Promise<number> {
  const response = await fetch(`${admin}/api/stats`);
  const { tiers } = (await response.json()) as {
    readonly tiers: readonly { readonly name: string; readonly bytes: number }[];
  };
  return tiers.find(({ name }) => name === 'memory')?.bytes ?? 0;
}

const lookups =
  /^millrace_(?:cache_lookups_total\{cache="(?<cache>\w+)",|(?<rules>mirror_mapping)_lookups_total\{)result="(?<result>hit|miss)"\} (?<count>\d+)/;

/** By the metric that counts look-ups in its internal caches, and by that of its URL rules. */
export async function cacheLookups(admin: string): Promise<ReadonlyMap<string, Lookups>> {
  const response = await fetch(`${admin}/metrics`);
  const counts = new Map<string, { hit: number; miss: number }>();
  for (const line of (await response.text()).split('\n')) {
    const { cache, rules, result, count } = lookups.exec(line)?.groups ?? {};
    const name = cache ?? rules;
    if (name === undefined || (result !== 'hit' && result !== 'miss')) continue;
    const both = counts.get(name) ?? { hit: 0, miss: 0 };
    both[result] = Number(count);
    counts.set(name, both);
  }
  return new Map(
    [...counts].map(([name, { hit, miss }]) => [name, { hits: hit, misses: miss }] as const),
  );
}

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

/**
 * Share of look-ups that found something, by internal cache: by the metric that counts them, and by
 * that of the URL rules. One that was never asked is left out.
 */
export async function cacheRates(admin: string): Promise<ReadonlyMap<string, number>> {
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
    [...counts].flatMap(([name, { hit, miss }]) =>
      hit + miss === 0 ? [] : [[name, hit / (hit + miss)] as const],
    ),
  );
}

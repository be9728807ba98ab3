import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { shuffled } from '../fixtures/choices.ts';
import { type Lockfile, type NpmSite, npmSite } from '../fixtures/npm-site.ts';
import type { RateResult } from '../load/rate.ts';
import type { Shot } from '../load/shot.ts';
import { type Cost, eachAlone, withCost } from '../measured.ts';
import type { Contestant, Lookups } from '../peers/peer.ts';
import type { Round, Scenario } from '../scenario.ts';
import { byCost, byRate, caches, loadColumns, rateGoals } from './hot-hits.ts';

const clients = 24;
const connectionsEach = 4;
const agent =
  'User-Agent: npm/11.6.2 node/v26.10.0 linux x64 workspaces/false\r\nnpm-command: install\r\n';
const accept =
  'Accept: application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*\r\n';

/** Internal caches that the workload is the measure of. */
const internalCaches = ['prepared', 'records', 'bodies', 'rewritten', 'mirror_mapping'] as const;

/** What a package of the warm-up is called, so that it is another one. */
const warmUpName = (name: string): string => `${name}-warm`;

/**
 * What a team asks for in the morning: the lockfile of this repository, by everybody. Nothing of it is
 * stored; the server itself has run for some seconds, with other packages.
 */
export const replay: Scenario = {
  name: 'replay',
  title: `a lockfile's package documents and tarballs, by ${clients} clients one after the other, nothing of it stored at first`,
  rounds: 3,
  peers: caches,
  settings: { memory: '256MiB', disk: '2GiB', directOn: 'load' },
  freshEachRound: true,
  columns: [
    ...loadColumns,
    { key: 'firstCpu', label: 'CPU µs/request of the warm-up', decimals: 1 },
    { key: 'upstream', label: 'upstream requests', decimals: 0 },
    ...internalCaches.map((name) => ({
      key: name,
      label: `hits of ${name.replace('_', ' ')} %`,
      decimals: 1,
    })),
  ],
  compared: [byRate, byCost],
  goals: [
    ...rateGoals(1),
    {
      text: 'hits of each internal cache that is asked, at least 80 %',
      value: (summary) => {
        const rates = internalCaches.flatMap((name) => summary.median('millrace', name) ?? []);
        return rates.length === 0 ? undefined : Math.min(...rates);
      },
      decimals: 1,
      atLeast: 80,
    },
  ],
  async run(round, contestants) {
    const { bench, form } = round;
    const smoke = form === 'smoke';
    const text = await readFile(join(bench.root, 'package-lock.json'), 'utf8');
    const lockfile: Lockfile = JSON.parse(text);
    const site = npmSite(lockfile, bench.originUrl);
    const other = smoke ? undefined : npmSite(renamed(lockfile), bench.originUrl);
    await bench.origin.call('publish', site.documents);
    if (other) await bench.origin.call('publish', other.documents);
    return eachAlone(round, contestants, async (contestant) => {
      const first = other && (await asked(round, contestant, other, clients));
      const { result, cost } = await asked(round, contestant, site, smoke ? 4 : clients);
      const objects = site.documents.size + site.tarballs.length;
      const targets = [...site.documents.keys(), ...site.tarballs];
      const escaped = targets.map((path) => path.replace(/^(\/npm\/@[^/]+)\//, '$1%2f'));
      const accounts = await bench.origin.call('take', [...new Set([...targets, ...escaped])]);
      const upstream = accounts.reduce((sum, { requests }) => sum + requests, 0);
      const problems = [...(first?.result.problems ?? []), ...result.problems];
      if (contestant.name === 'millrace' && upstream !== objects) {
        problems.push(`${upstream} upstream requests for ${objects} objects`);
      }
      const lookups = (await contestant.cacheLookups?.()) ?? new Map<string, Lookups>();
      const { requests, ms, p50, p99, loadBusy } = result;
      return {
        values: {
          rate: (requests / ms) * 1000,
          p50,
          p99,
          loadBusy,
          upstream,
          ...(cost.cpuMs !== undefined && { cpu: (cost.cpuMs * 1000) / requests }),
          ...(first?.cost.cpuMs !== undefined && {
            firstCpu: (first.cost.cpuMs * 1000) / first.result.requests,
          }),
          ...(cost.busy !== undefined && { busy: cost.busy }),
          ...(cost.rss !== undefined && { rss: cost.rss }),
          ...hitRates(lookups, site.documents.size / objects),
        },
        problems,
      };
    });
  },
};

/** All of a site by that many clients, and what it cost. */
function asked(
  round: Round,
  contestant: Contestant,
  site: NpmSite,
  count: number,
): Promise<{ readonly result: RateResult; readonly cost: Cost }> {
  const { bench } = round;
  const documents = [...site.documents].map(([path, text]) =>
    documentShot(round, contestant, path, text),
  );
  const shots = [...documents, ...site.tarballs.map((path): Shot => ({ path, fields: agent }))];
  return withCost(contestant, () =>
    bench.load.call('rate', {
      base: (contestant.registry ?? contestant.base).replace(/\/npm$/, ''),
      shots,
      order: interleaved(documents.length, shots.length, count),
      connections: clients * connectionsEach,
    }),
  );
}

/** The same packages under other names. */
function renamed({ packages }: Lockfile): Lockfile {
  const entries = Object.entries(packages).map(([place, entry]) => {
    const { name } = entry;
    return [
      warmUpName(place),
      name === undefined ? entry : { ...entry, name: warmUpName(name) },
    ] as const;
  });
  return { packages: Object.fromEntries(entries) };
}

/**
 * Percent of look-ups that found something. What the prepared answers gave never came to the caches
 * behind them, which knew it all the same: it counts as theirs. `documents`: share of the requests that
 * were for package documents, which alone are rewritten.
 */
function hitRates(
  lookups: ReadonlyMap<string, Lookups>,
  documents: number,
): Readonly<Record<string, number>> {
  const prepared = lookups.get('prepared')?.hits ?? 0;
  const before: Readonly<Record<string, number>> = {
    records: prepared,
    bodies: prepared,
    rewritten: prepared * documents,
  };
  return Object.fromEntries(
    [...lookups].flatMap(([name, { hits, misses }]) => {
      const found = hits + (before[name] ?? 0);
      return found + misses === 0 ? [] : [[name, (found / (found + misses)) * 100]];
    }),
  );
}

/** A package document as this contestant has to give it. */
function documentShot(
  { bench }: Round,
  { registry }: Contestant,
  path: string,
  text: string,
): Shot {
  const origin = `${bench.originUrl}/npm`;
  return {
    // As npm asks for a scope.
    path: path.replace(/^(\/npm\/@[^/]+)\//, '$1%2f'),
    fields: agent + accept,
    document: registry === undefined ? text : text.replaceAll(origin, registry),
  };
}

/**
 * Indices of shots: each client has its own order, documents before tarballs, and begins when the one
 * before it is a quarter through.
 */
function interleaved(documents: number, total: number, count: number): Uint32Array {
  const indices = Array.from({ length: total }, (_, i) => i);
  const steps = Array.from({ length: count }, (_, client) =>
    [
      ...shuffled(indices.slice(0, documents), client),
      ...shuffled(indices.slice(documents), client),
    ].map((index, i) => ({ index, at: i + (client * total) / 4 })),
  );
  return Uint32Array.from(
    steps.flat().sort((a, b) => a.at - b.at),
    ({ index }) => index,
  );
}

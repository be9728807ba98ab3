import { eachAlone, withCost } from '../measured.ts';
import { type NpmCommand, runNpm } from '../npm/run-npm.ts';
import type { Comparison } from '../sample.ts';
import type { Scenario } from '../scenario.ts';

const byWarm: Comparison = { key: 'warm', better: 'less', label: 'warm' };
const byCold: Comparison = { key: 'cold', better: 'less', label: 'cold' };

/** An install of all packages with an empty cache of npm's, twice: the first finds empty servers. */
function scenario(command: NpmCommand, title: string): Scenario {
  return {
    name: `npm-${command}`,
    title,
    rounds: 3,
    peers: ['direct', 'verdaccio'],
    settings: { memory: '256MiB', disk: '4GiB', directOn: 'server', npm: true },
    // Cold is cold once in the life of a server.
    freshEachRound: true,
    columns: [
      { key: 'cold', label: 'cold s', decimals: 2 },
      { key: 'warm', label: 'warm s', decimals: 2 },
      { key: 'coldCpu', label: 'cold CPU ms', decimals: 0 },
      { key: 'warmCpu', label: 'warm CPU ms', decimals: 0 },
      { key: 'coldRequests', label: 'upstream, cold', decimals: 0 },
      { key: 'warmRequests', label: 'upstream, warm', decimals: 0 },
    ],
    compared: [byWarm, byCold],
    goals: [
      {
        text: 'warm faster than Verdaccio warm',
        value: (summary) => summary.ratio('millrace', 'verdaccio', byWarm)?.median,
        decimals: 2,
        atLeast: 1,
      },
      {
        text: 'warm faster than direct',
        value: (summary) => summary.ratio('millrace', 'direct', byWarm)?.median,
        decimals: 2,
        atLeast: 1,
      },
      {
        text: 'cold no more than 1.1 times direct (ratio at least 0.91)',
        value: (summary) => summary.ratio('millrace', 'direct', byCold)?.median,
        decimals: 2,
        atLeast: 1 / 1.1,
      },
    ],
    run: (round, contestants) =>
      eachAlone(round, contestants, async (contestant) => {
        const { bench } = round;
        const registry = await bench.registry();
        const problems: string[] = [];
        const install = async (name: 'cold' | 'warm') => {
          await registry.take();
          const { result, cost } = await withCost(contestant, () =>
            runNpm(bench, registry, contestant.base, command),
          );
          if (result.problem !== undefined) problems.push(`${name}: ${result.problem}`);
          const requests = await registry.take();
          return {
            requests,
            values: {
              [name]: result.ms / 1000,
              ...(cost.cpuMs !== undefined && { [`${name}Cpu`]: cost.cpuMs }),
              ...(requests !== undefined && { [`${name}Requests`]: requests }),
            },
          };
        };
        const cold = await install('cold');
        const warm = await install('warm');
        if (contestant.name === 'millrace' && (warm.requests ?? 0) > 0) {
          problems.push(`${warm.requests} requests to the registry for what was stored`);
        }
        return { values: { ...cold.values, ...warm.values }, problems };
      }),
  };
}

/** By a lockfile that says where the tarballs are: tarballs alone. */
export const npmCi = scenario('ci', 'npm ci of 320 packages, npm’s own cache empty');
/** Without one: documents, and tarballs. */
export const npmInstall = scenario('install', 'npm install of the same without a lockfile');

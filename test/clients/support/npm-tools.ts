import type { Manifest } from './npm-registry.ts';

export const nail = { name: 'nail', version: '1.0.0' };

/** Three packages, each of which needs the ones before. */
export const toolPackages: readonly Manifest[] = [
  nail,
  { name: 'board', version: '2.1.0', dependencies: { nail: '^1.0.0' } },
  { name: '@tools/hammer', version: '0.3.1', dependencies: { board: '2.x', nail: '~1.0.0' } },
];

import { expect, test } from 'vitest';
import { tableOf } from './support/table.ts';

test('the table has a row a client, and says what failed, was skipped, cannot be, or is not shown', () => {
  const table = tableOf(
    [
      { client: 'saw', cells: ['cold', 'warm'], state: 'passed' },
      { client: 'saw', cells: ['warm'], state: 'failed' },
      { client: 'saw', cells: ['stale', 'lockfile'], state: 'skipped' },
      { client: 'axe', cells: ['cold'], state: 'skipped' },
      { client: 'axe', cells: ['cold'], state: 'passed' },
    ],
    [{ client: 'saw', column: 'lockfile', reason: 'it has none' }],
  );
  expect(table.split('\n').map((line) => line.replace(/ +/g, ' '))).toEqual([
    '| client | cold | warm | stale | corrupted | concurrent | lockfile | HTTPS_PROXY |',
    '| ------ | ---- | ---- | ------- | --------- | ---------- | -------- | ----------- |',
    '| axe | ✓ | | | | | | |',
    '| saw | ✓ | ✗ | skipped | | | – | |',
    '',
    'saw, lockfile: it has none',
  ]);
});

import { expect, test } from 'vitest';
import { LaneBudget } from '../../src/pipeline/lane-budget.ts';

test('is shared among the bodies that come over several connections', () => {
  const budget = new LaneBudget();
  const most = Array.from({ length: 20 }, () => {
    budget.enter();
    return budget.most;
  });
  expect(most).toEqual([16, 8, 5, 4, 3, 2, 2, 2, ...Array.from({ length: 12 }, () => 1)]);
  for (let i = 0; i < 18; i++) budget.leave();
  expect(budget.most).toBe(8);
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Roster } from '../../src/core/roster.ts';

it('has its members in the order in which they came, without those that left', () => {
  const roster = new Roster<string>();
  for (const member of ['a', 'b', 'c', 'd']) roster.add(member);
  roster.delete('a');
  roster.delete('c');
  roster.add('e');
  expect([...roster]).toEqual(['b', 'd', 'e']);
  expect(roster.size).toBe(3);
});

it('does nothing for who is not there', () => {
  const roster = new Roster<string>();
  roster.add('a');
  roster.delete('b');
  expect([...roster]).toEqual(['a']);
});

it('is as a set of things that are added once', () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(20)));
  fc.assert(
    fc.property(steps, (taken) => {
      const roster = new Roster<number>();
      const set = new Set<number>();
      for (const [comes, member] of taken) {
        if (!comes) roster.delete(member);
        else if (!set.has(member)) roster.add(member);
        if (comes) set.add(member);
        else set.delete(member);
      }
      expect([...roster]).toEqual([...set]);
    }),
  );
});

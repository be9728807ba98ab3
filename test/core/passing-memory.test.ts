import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { PassingMap } from '../../src/core/passing-map.ts';
import { Roster } from '../../src/core/roster.ts';

setFlagsFromString('--expose-gc');
const collect: (options?: { type: 'minor' }) => void = runInNewContext('gc');

interface Member {
  readonly bytes: readonly number[];
}

/** How much memory quick collections leave after many members came and went, in bytes. */
function leftAfter(come: (key: string, member: Member) => void, go: (key: string) => void): number {
  const pass = (from: number, to: number): void => {
    for (let i = from; i < to; i += 1) {
      come(`${i}`, { bytes: new Array<number>(200).fill(i) });
      if (i >= 20) go(`${i - 20}`);
      if (i % 1_000 === 0) collect({ type: 'minor' });
    }
  };
  pass(0, 1_000);
  // It is the full collection that makes old what was young.
  collect();
  const before = process.memoryUsage().heapUsed;
  pass(1_000, 20_000);
  collect({ type: 'minor' });
  collect({ type: 'minor' });
  return process.memoryUsage().heapUsed - before;
}

const most = 8 * 1024 * 1024;

it('what left a roster does not outlive quick collections', () => {
  const roster = new Roster<Member>();
  const members = new Array<Member | undefined>(20_000);
  const come = (key: string, member: Member): void => {
    members[Number(key)] = member;
    roster.add(member);
  };
  const go = (key: string): void => {
    const member = members[Number(key)];
    members[Number(key)] = undefined;
    if (member !== undefined) roster.delete(member);
  };
  expect(leftAfter(come, go)).toBeLessThan(most);
});

it('what left a passing map does not outlive quick collections', () => {
  const map = new PassingMap<Member>();
  const come = (key: string, member: Member): void => map.set(key, member);
  expect(leftAfter(come, (key) => map.delete(key))).toBeLessThan(most);
});

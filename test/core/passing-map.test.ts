import { expect, it } from 'vitest';
import { PassingMap } from '../../src/core/passing-map.ts';

it('has what was set last for a key, until that is deleted', () => {
  const map = new PassingMap<number>();
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  expect([...map]).toEqual([
    ['b', 2],
    ['a', 3],
  ]);
  map.delete('a');
  map.delete('c');
  expect(map.get('a')).toBeUndefined();
  expect(map.get('b')).toBe(2);
});

it('may lose entries while somebody goes through it', () => {
  const map = new PassingMap<number>();
  for (const [at, key] of ['a', 'b', 'c'].entries()) map.set(key, at);
  const seen: string[] = [];
  for (const [key] of map) {
    seen.push(key);
    map.delete('a');
    map.delete('b');
  }
  expect(seen).toEqual(['a', 'c']);
});

import { expect, it } from 'vitest';
import { GivenVersions } from '../../src/pipeline/given-versions.ts';

const version = (name: string) => Promise.resolve(name);

async function versionsOf(
  given: GivenVersions,
  connection: object | undefined,
  address: string,
  { urls = ['a', 'b'], now = 0 } = {},
) {
  const found = given.of({ connection, address }, urls, now);
  return Promise.all(found.map(async (each) => `${each.url} ${await each.version}`));
}

it('a connection has the versions that it was given last, the newest first', async () => {
  const given = new GivenVersions();
  const one = { connection: {}, address: 'x' };
  const other = { connection: {}, address: 'x' };
  given.note(one, 'a', version('1'), 0);
  given.note(one, 'b', version('1'), 1);
  given.note(other, 'a', version('2'), 2);
  given.note(one, 'a', version('3'), 3);
  expect(await versionsOf(given, one.connection, 'x')).toEqual(['a 3', 'b 1']);
  expect(await versionsOf(given, other.connection, 'x')).toEqual(['a 2']);
});

it('a connection that was given nothing has those of its address, for ten minutes', async () => {
  const given = new GivenVersions();
  given.note({ connection: {}, address: 'x' }, 'a', version('1'), 0);
  given.note({ connection: undefined, address: 'y' }, 'a', version('2'), 0);
  expect(await versionsOf(given, {}, 'x', { now: 599_999 })).toEqual(['a 1']);
  expect(await versionsOf(given, {}, 'x', { now: 600_000 })).toEqual([]);
  expect(await versionsOf(given, undefined, 'y')).toEqual(['a 2']);
  expect(await versionsOf(given, {}, 'z')).toEqual([]);
});

it('what was given longest ago is forgotten where there is too much', async () => {
  const given = new GivenVersions();
  const connection = {};
  for (let i = 0; i < 65; i++) {
    given.note({ connection, address: `${i}` }, `${i}`, version('1'), i);
  }
  const of = (url: string) => versionsOf(given, connection, 'none', { urls: [url] });
  expect([await of('0'), await of('1'), await of('64')]).toEqual([[], ['1 1'], ['64 1']]);
  for (let i = 0; i < 10_000; i++)
    given.note({ connection: undefined, address: 'x' }, `u${i}`, version('1'), 0);
  expect(await versionsOf(given, undefined, '5', { urls: ['5'] })).toEqual([]);
});

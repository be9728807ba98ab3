import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DigestTableMaker, digestsFor, partFor } from '../../src/pipeline/digest-table.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

function tableOf(names: readonly string[]): Buffer {
  const maker = new DigestTableMaker();
  for (const name of names) maker.add(name, sha256(name));
  return maker.table() ?? Buffer.alloc(0);
}

/** What a table says of a name, from the one part of it that is read. */
function found(table: Buffer, name: string): string[] {
  const { first, last } = partFor(name, table.length);
  return digestsFor(name, table.subarray(first, last + 1)).map(({ hex }) => hex);
}

describe('a table of digests', () => {
  test('has each name with its digest, and no other', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1 }), (all) => {
        const names = all.map((name) => `f/${name.replaceAll('%', '')}`);
        const table = tableOf(names);
        for (const name of names) expect(found(table, name)).toContain(sha256(name));
        expect(found(table, 'g/nothing')).toEqual([]);
      }),
    );
  });

  test('of a large list needs a small part for each name', () => {
    const names = Array.from({ length: 60_000 }, (_, at) => `pool/main/n/nail/nail_${at}_all.deb`);
    const table = tableOf(names);
    expect(table).toHaveLength(60_000 * 40);
    for (const name of names) {
      const { first, last } = partFor(name, table.length);
      expect(last - first).toBeLessThan(100_000);
    }
    for (const name of names.filter((_, at) => at % 7 === 0)) {
      expect(found(table, name)).toEqual([sha256(name)]);
    }
    expect(found(table, 'pool/main/n/nail/nail_60000_all.deb')).toEqual([]);
  });

  test('takes a name in each spelling for the same', () => {
    const maker = new DigestTableMaker();
    maker.add('./pool/a+b~rc1_1%3a2.deb', sha256('it'));
    const table = maker.table() ?? Buffer.alloc(0);
    for (const name of ['pool/a%2bb%7Erc1_1:2.deb', 'pool/a+b~rc1_1%3A2.deb']) {
      expect(found(table, name)).toEqual([sha256('it')]);
    }
  });

  test('keeps both of two digests for a name: neither is right for certain', () => {
    const maker = new DigestTableMaker();
    maker.add('nail', sha256('a'));
    maker.add('nail', sha256('b'));
    const table = maker.table() ?? Buffer.alloc(0);
    expect(found(table, 'nail').sort()).toEqual([sha256('a'), sha256('b')].sort());
  });

  test('is not made of what has no SHA-256', () => {
    const maker = new DigestTableMaker();
    maker.add('nail', 'aa');
    maker.add('glue', 'g'.repeat(64));
    expect(maker.table()).toBeUndefined();
  });
});

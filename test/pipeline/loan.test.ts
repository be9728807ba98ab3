import { expect, test } from 'vitest';
import { Loan } from '../../src/pipeline/loan.ts';
import { RecentChunks } from '../../src/pipeline/recent-chunks.ts';
import { fillFixture } from './fill-fixture.ts';

const strip = (text: string) => Buffer.from(text);

test('memory is given back when the last holder is done with it, once', () => {
  const back: Uint8Array[] = [];
  const chunk = strip('0123');
  const loan = new Loan({ giveBack: (each) => back.push(each) }, chunk);
  const recent = new RecentChunks();
  recent.push(0, chunk, loan);
  loan.release();
  expect(back).toEqual([]);
  recent.trimTo(0);
  expect(back).toEqual([chunk]);
  recent.clear();
  expect(back).toHaveLength(1);
});

test('a piece that a reader was given is its own until it asks for more, whatever the fill lets go', async () => {
  const { fill } = await fillFixture({ size: 8 });
  let back = 0;
  const append = (position: number, text: string) => {
    const chunk = strip(text);
    const loan = new Loan({ giveBack: () => (back += 1) }, chunk);
    fill.append(position, chunk, loan);
    loan.release();
  };
  const reader = fill.read();
  fill.release();
  append(0, '0123');
  expect((await reader.next())?.toString()).toBe('0123');
  append(4, '4567');
  void fill.finish();
  await fill.settled;
  const left = fill.read({ first: 4, last: 7 });
  expect((await left.next())?.toString()).toBe('4567');
  left.close();
  expect(back).toBe(0);
  expect((await reader.next())?.toString()).toBe('4567');
  expect(await reader.next()).toBeUndefined();
  reader.close();
  // Of the second piece the reader that closed may not have sent all: that is nobody's any more.
  expect(back).toBe(1);
});

import { expect, it } from 'vitest';
import { GatewayError } from '../../src/core/errors.ts';
import { FillReader, type ReadableFill } from '../../src/pipeline/fill-reader.ts';
import { Loan } from '../../src/pipeline/loan.ts';
import type { Piece } from '../../src/pipeline/recent-chunks.ts';

/** A fill of six bytes, of which the first `end` are in memory. */
function fillUpTo(end: number, more: Partial<ReadableFill> = {}) {
  const given: string[] = [];
  const giveBack = (chunk: Uint8Array) => given.push(Buffer.from(chunk).toString());
  const chunk = Buffer.from('abcdef').subarray(0, end);
  const loan = new Loan({ giveBack }, chunk);
  const piece: Piece = { position: 0, chunk, loan };
  const fill: ReadableFill = {
    size: 6,
    complete: end === 6,
    failure: undefined,
    readers: 1,
    readableEnd: () => end,
    pieceAt: (position) => (position < end ? piece : undefined),
    load: () => undefined,
    readStored: () => Promise.reject(new Error('nothing is read')),
    progress: () => Promise.reject(new Error('nothing is awaited')),
    moved: () => undefined,
    left: () => undefined,
    ...more,
  };
  return { fill, loan, given };
}

const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();

it('gives what is in memory at once, and nothing where it would have to wait', () => {
  const reader = new FillReader(fillUpTo(3).fill, undefined);
  expect(text(reader.nextNow())).toBe('abc');
  expect(reader.nextNow()).toBeUndefined();
});

it('gives no more than its range at once', () => {
  const reader = new FillReader(fillUpTo(6).fill, { first: 1, last: 3 });
  expect(text(reader.nextNow())).toBe('bcd');
  expect(reader.nextNow()).toBeUndefined();
});

it('what it gave at once is given back when it is asked for more, at the end too', () => {
  const { fill, loan, given } = fillUpTo(6);
  const reader = new FillReader(fill, undefined);
  reader.nextNow();
  loan.release();
  expect(given).toEqual([]);
  expect(reader.nextNow()).toBeUndefined();
  expect(given).toEqual(['abcdef']);
});

it('says nothing at once of what went wrong: the next read does', async () => {
  const failure = new GatewayError('digest_mismatch', 'wrong', { origin: 'upstream' });
  const reader = new FillReader(fillUpTo(3, { failure }).fill, undefined);
  expect(reader.nextNow()).toBeUndefined();
  await expect(reader.next()).rejects.toBe(failure);
});

it('gives nothing at once after it was closed', () => {
  const reader = new FillReader(fillUpTo(3).fill, undefined);
  reader.close();
  expect(reader.nextNow()).toBeUndefined();
});

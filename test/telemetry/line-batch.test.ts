import { Writable } from 'node:stream';
import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { LineBatch } from '../../src/telemetry/line-batch.ts';

function begin() {
  const writes: string[] = [];
  const batch = new LineBatch({
    write(text: string | Uint8Array) {
      writes.push(String(text));
      return true;
    },
  });
  return { batch, writes };
}

test('lines that may wait are written together, within the turn', async () => {
  const { batch, writes } = begin();
  batch.later('a\n');
  batch.later('b\n');
  expect(writes).toEqual([]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(writes).toEqual(['a\nb\n']);
  batch.later('c\n');
  await new Promise((resolve) => setImmediate(resolve));
  expect(writes).toEqual(['a\nb\n', 'c\n']);
});

test('lines that may wait longer are written together, within four milliseconds', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const { batch, writes } = begin();
  for (const [i, line] of ['a\n', 'b\n'].entries()) {
    batch.soon('', line.slice(0, 1), '\n');
    vi.advanceTimersByTime(3);
    expect(writes).toHaveLength(i);
    vi.advanceTimersByTime(1);
    expect(writes[i]).toBe(line);
  }
});

test('a line that may not wait takes those before it along', () => {
  const { batch, writes } = begin();
  batch.later('a\n');
  batch.write('b\n');
  expect(writes).toEqual(['a\nb\n']);
  batch.flush();
  expect(writes).toHaveLength(1);
});

test('what waits is bounded', () => {
  const { batch, writes } = begin();
  const line = `${'x'.repeat(999)}\n`;
  for (let i = 0; i < 200; i++) batch.later(line);
  expect(writes.length).toBeGreaterThan(1);
  batch.flush();
  expect(writes.join('')).toHaveLength(200_000);
});

/** A stream whose reader takes one chunk each time that it is told to; `slow`: not before. */
function streamOf({ slow }: { slow: boolean }) {
  const chunks: Buffer[] = [];
  const waiting: (() => void)[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      if (slow) waiting.push(done);
      else done();
    },
  });
  const read = (): boolean => {
    const done = waiting.shift();
    done?.();
    return done !== undefined;
  };
  return { batch: new LineBatch(stream), stream, chunks, read };
}

test('a reader that is slow gets each line as it was written, and keeps no more than what waits', () => {
  const { batch, stream, chunks, read } = streamOf({ slow: true });
  const lines = Array.from({ length: 50 }, (_, i) => `${i} ${'x'.repeat(i)}\n`);
  for (const line of lines) batch.write(line);
  expect(stream.writableLength).toBe(lines.join('').length);
  while (read());
  expect(Buffer.concat(chunks).toString()).toBe(lines.join(''));
  // The first has the batch's buffer, and the others, a few bytes each, have not one like it each.
  expect(new Set(chunks.map(({ buffer }) => buffer)).size).toBeLessThanOrEqual(3);
});

test('a reader that keeps up is given one buffer again and again', () => {
  const { batch, chunks } = streamOf({ slow: false });
  for (let i = 0; i < 10; i++) {
    batch.soon('a', 'b', 'c\n');
    batch.flush();
  }
  expect(new Set(chunks.map(({ buffer }) => buffer)).size).toBe(1);
});

test('property: every line comes whole and in order, whatever is in it and however it was given', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.integer({ min: 0, max: 70_000 }).map((length) => 'é€x'.repeat(length).slice(0, length)),
  );
  const way = fc.constantFrom('write', 'later', 'soon', 'flush');
  fc.assert(
    fc.property(fc.array(fc.tuple(way, text), { maxLength: 20 }), (steps) => {
      let heard = '';
      const batch = new LineBatch({
        writableLength: 0,
        write(chunk: string | Uint8Array) {
          heard += Buffer.from(chunk as Uint8Array).toString();
          return true;
        },
      });
      for (const [how, line] of steps) {
        if (how === 'soon') batch.soon(line, '', '\n');
        else if (how === 'flush') batch.flush();
        else batch[how](`${line}\n`);
      }
      batch.flush();
      const lines = steps.filter(([how]) => how !== 'flush').map(([, line]) => `${line}\n`);
      expect(heard).toBe(lines.join('').toWellFormed());
    }),
  );
});

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
    batch.soon(line);
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

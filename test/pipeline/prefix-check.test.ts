import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PrefixCheck } from '../../src/pipeline/prefix-check.ts';

const prefixOf = (body: Buffer, bytes: number) => ({
  bytes,
  sha256: createHash('sha256').update(body.subarray(0, bytes)).digest('hex'),
});

test('a body that begins with the same bytes passes, however it is cut; another one does not', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(bytes, fc.nat(), fc.nat(), fc.nat(), (all, cut, length, changed) => {
      const body = Buffer.from(all);
      const prefix = length % (body.length + 1);
      const first = cut % (body.length + 1);
      const run = (given: Buffer) => {
        const check = new PrefixCheck(prefixOf(body, prefix));
        return [given.subarray(0, first), given.subarray(first)].every((part) => check.take(part));
      };
      expect(run(body)).toBe(true);
      const other = Buffer.from(body);
      const at = changed % body.length;
      other[at] = (other[at] ?? 0) ^ 1;
      expect(run(other)).toBe(at >= prefix);
    }),
  );
});

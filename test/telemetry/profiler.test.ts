import { once } from 'node:events';
import { expect, test } from 'vitest';
import { heapSnapshot, startCpuProfile, startHeapProfile } from '../../src/telemetry/profiler.ts';

test('a CPU profile has the functions that ran', async () => {
  const profile = await startCpuProfile();
  expect(await profile.stop()).toMatchObject({
    nodes: expect.arrayContaining([
      expect.objectContaining({ callFrame: expect.objectContaining({ functionName: '(root)' }) }),
    ]),
    startTime: expect.any(Number),
    endTime: expect.any(Number),
  });
});

test('a heap profile has what allocated', async () => {
  const profile = await startHeapProfile();
  expect(await profile.stop()).toMatchObject({ head: { callFrame: { functionName: '(root)' } } });
});

test('a heap snapshot begins as one', async () => {
  const stream = heapSnapshot();
  const [first] = await once(stream, 'data');
  stream.destroy();
  expect(String(first)).toMatch(/^\{"snapshot":\{"meta"/);
});

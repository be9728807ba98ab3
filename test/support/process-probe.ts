import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { GatewayIo } from '../../src/gateway.ts';

/** The process of the test. */
export const processProbe: GatewayIo['probe'] = {
  memoryUsage: () => process.memoryUsage(),
  cpuUsage: () => process.cpuUsage(),
  constrainedMemory: () => process.constrainedMemory(),
  totalMemory: totalmem,
  heapLimit: () => getHeapStatistics().heap_size_limit,
};

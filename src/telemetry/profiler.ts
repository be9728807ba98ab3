import { Session } from 'node:inspector/promises';
import type { Readable } from 'node:stream';
import { getHeapSnapshot } from 'node:v8';

/** A profile that is being taken. */
export interface RunningProfile {
  /** Ends it; what Chrome's DevTools open, as an object to be written as JSON. */
  stop(): Promise<object>;
}

/** Bytes between two samples of the heap: V8's own default. */
const heapSamplingInterval = 32_768;

/** Samples where the time of this process goes, a thousand times a second. */
export async function startCpuProfile(): Promise<RunningProfile> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
  return {
    async stop() {
      const { profile } = await session.post('Profiler.stop');
      session.disconnect();
      return profile;
    },
  };
}

/** Samples what the memory of this process is allocated by. */
export async function startHeapProfile(): Promise<RunningProfile> {
  const session = new Session();
  session.connect();
  await session.post('HeapProfiler.enable');
  await session.post('HeapProfiler.startSampling', { samplingInterval: heapSamplingInterval });
  return {
    async stop() {
      const { profile } = await session.post('HeapProfiler.stopSampling');
      session.disconnect();
      return profile;
    },
  };
}

/** All objects of this process, as JSON piece by piece; it stands still until the first piece comes. */
export function heapSnapshot(): Readable {
  return getHeapSnapshot();
}

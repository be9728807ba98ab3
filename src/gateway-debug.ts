import { AdminDebug } from './surfaces/admin-debug.ts';

/** What `/debug` on the admin side does; the inspector is loaded when somebody asks. */
export function createDebug(): AdminDebug {
  const load = () => import('./telemetry/profiler.ts');
  return new AdminDebug({
    profiler: {
      startCpuProfile: async () => (await load()).startCpuProfile(),
      heapSnapshot: async () => (await load()).heapSnapshot(),
    },
  });
}

import type { RequestRecord } from '../../src/core/request-record.ts';

/** A finished hit; `changes` make it another. */
export function aRecord(changes: Partial<RequestRecord> = {}): RequestRecord {
  return {
    surface: 'mount',
    method: 'GET',
    target: '/npm/left-pad',
    client: '127.0.0.1',
    startedAt: Date.UTC(2026, 0, 1),
    ecosystem: 'npm',
    outcome: 'hit',
    status: 200,
    cacheStatus: { hit: true, ttl: 30 },
    bytesOut: 100,
    bytesIn: 0,
    durationMs: 2,
    ...changes,
  };
}

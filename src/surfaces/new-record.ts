import type { SurfaceName } from '../core/artifact-request.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { RequestHead } from './request-head.ts';

/** Longest part of a request target that a record keeps. */
const recordedTarget = 2048;

/** The record of a request whose head has come; `now` in milliseconds since the epoch. */
export function newRecord(request: RequestHead, surface: SurfaceName, now: number): RequestRecord {
  const target = request.url ?? '';
  return {
    surface,
    method: request.method ?? '',
    target: target.length > recordedTarget ? target.slice(0, recordedTarget) : target,
    client: request.socket.remoteAddress ?? '',
    startedAt: now,
    ecosystem: 'none',
    outcome: 'refused',
    status: 0,
    cacheStatus: {},
    bytesOut: 0,
    bytesIn: 0,
  };
}

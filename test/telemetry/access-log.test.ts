import { expect, onTestFinished, test } from 'vitest';
import type { RequestRecord } from '../../src/core/request-record.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';
import { Lines } from './lines.ts';
import { aRecord } from './records.ts';

function begin(accessLog: boolean) {
  const lines = new Lines();
  const logger = createLogger({ level: 'info', accessLog, format: 'json', stream: lines });
  const telemetry = createTelemetry({
    logger,
    clock: () => aRecord().startedAt,
    origins: [],
    sample: () => {
      throw new Error('nobody asks');
    },
    probe: {
      memoryUsage: () => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }),
      cpuUsage: () => ({ user: 0, system: 0 }),
    },
    version: '1.2.3',
    nodeVersion: 'v26.0.0',
  });
  onTestFinished(() => telemetry.close());
  const written = () => {
    logger.flush();
    return lines.entries.map(({ level, target, msg }) => [level, target ?? msg]);
  };
  return { telemetry, logger, written };
}

/** A hit whose target stands in the line alone, and how often that was read. */
function watched(): { record: RequestRecord; reads: () => number } {
  let reads = 0;
  const record = Object.defineProperty(aRecord({ kind: 'artifact' }), 'target', {
    get() {
      reads++;
      return '/npm/a';
    },
  });
  return { record, reads: () => reads };
}

test('without an access log no line is made of a request, and it is counted', () => {
  const { telemetry, logger, written } = begin(false);
  const { record, reads } = watched();
  telemetry.record(record);
  telemetry.prepare(record).add(record.client, record.startedAt, 30, false);
  logger.info({}, 'another line');
  expect(written()).toEqual([['info', 'another line']]);
  expect(reads()).toBe(0);
  expect(telemetry.traffic().requests.byOutcome.hit).toBe(2);
});

test('a failed request has its line also without an access log', () => {
  const { telemetry, written } = begin(false);
  telemetry.record(aRecord({ outcome: 'failed', status: 502 }));
  expect(written()).toEqual([['warn', '/npm/left-pad']]);
});

test('an access log begins and ends with the next request', () => {
  const { telemetry, logger, written } = begin(false);
  const { record } = watched();
  const prepared = telemetry.prepare(record);
  const both = () => {
    telemetry.record(record);
    prepared.add(record.client, record.startedAt, 30, false);
  };
  both();
  logger.accessLog = true;
  both();
  logger.accessLog = false;
  both();
  expect(written()).toEqual([
    ['info', '/npm/a'],
    ['info', '/npm/a'],
  ]);
});

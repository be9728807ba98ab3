import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Every } from '../../src/core/every.ts';
import type { Logger } from '../../src/core/logger.ts';
import type { MirrorsFigures } from '../../src/core/mirror-figures.ts';
import { type Admin, createAdmin } from '../../src/surfaces/admin.ts';
import type { AdminDebug } from '../../src/surfaces/admin-debug.ts';
import type { AdminStats, AdminView } from '../../src/surfaces/admin-view.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { RequestTotals } from '../../src/telemetry/request-totals.ts';
import { trafficStats } from '../../src/telemetry/stats.ts';
import { UpstreamTotals } from '../../src/telemetry/upstream-totals.ts';
import { Lines } from '../telemetry/lines.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  json(): unknown;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface AdminSide {
  readonly port: number;
  readonly log: Lines;
  readonly admin: Admin;
  ask(target: string, options?: AskOptions): Promise<Answer>;
}

export function someStats(): AdminStats {
  return {
    version: '1.2.3',
    startedAt: '2026-01-01T00:00:00.000Z',
    uptimeSeconds: 3600,
    url: 'http://127.0.0.1:8080',
    mounts: [
      { path: '/npm', ecosystem: 'npm', upstreams: ['https://registry.test'] },
      { path: '/debian', ecosystem: 'apt', upstreams: ['http://archive.test/debian'] },
      { path: '/', ecosystem: 'generic', upstreams: ['http://<b>.test'] },
    ],
    forwardProxy: { allow: ['*.example.com'] },
    traffic: trafficStats(new RequestTotals(), new UpstreamTotals(['https://registry.test'])),
    tiers: [
      {
        name: 'memory',
        entries: 1,
        bytes: 512,
        maxBytes: 2048,
        partialBytes: 0,
        evictions: 0,
        healthy: false,
      },
    ],
    fills: { active: 1, readers: 3 },
  };
}

const someMirrors: MirrorsFigures = {
  mirrors: [],
  hedging: { requests: 20, hedges: 1 },
  mapping: { hits: 3, misses: 1, entries: 1 },
};

/** The admin side on a port of its own, over a view that does what the test wants. */
export async function startAdmin(
  view: Partial<AdminView> = {},
  token?: string,
  metrics = async () => ({ contentType: 'text/plain; version=0.0.4', body: 'up 1\n' }),
  every?: Every,
  debug?: AdminDebug,
): Promise<AdminSide> {
  const log = new Lines();
  const logger: Logger = createLogger({ level: 'info', format: 'json', stream: log });
  const admin = createAdmin({
    ...(token === undefined ? {} : { token }),
    ...(every && { every }),
    debug,
    view: {
      health: () => ({ ok: true, checks: {} }),
      ready: () => true,
      stats: someStats,
      entries: async () => [],
      fills: () => ({ active: 0, fills: [] }),
      mirrors: () => someMirrors,
      explain: async () => ({ refused: 'nobody knows it' }),
      purge: async () => 0,
      ...view,
    },
    metrics,
    logger,
  });
  const server = createServer(admin.listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    admin.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, log, admin, ask: (target, options = {}) => ask(port, target, options) };
}

function ask(port: number, target: string, { method, headers }: AskOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { port, host: '127.0.0.1', path: target, method: method ?? 'GET', headers, agent: false },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body,
            json: () => JSON.parse(body),
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end();
  });
}

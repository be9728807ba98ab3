import { onTestFinished } from 'vitest';
import { createTransport, type TransportOptions } from '../../src/upstream/transport.ts';
import type { Transport, UpstreamRequest } from '../../src/upstream/upstream.ts';

/** One for the running test, closed when the test is finished; no private address is allowed. */
export function transportForTest(options: Partial<TransportOptions> = {}): Transport {
  const transport = createTransport({
    connectTimeoutMs: 5_000,
    firstByteTimeoutMs: 60_000,
    idleTimeoutMs: 60_000,
    allowAddress: () => false,
    ...options,
  });
  onTestFinished(() => transport.close());
  return transport;
}

/** A trusted GET. */
export function get(url: string, more: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return { method: 'GET', url, headers: [], trusted: true, ...more };
}

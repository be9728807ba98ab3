import type { GatewayError } from '../../src/core/errors.ts';
import type { UpstreamResponse } from '../../src/upstream/upstream.ts';

/** A body with how it ended: `error` is undefined after a proper end. */
export interface Collected {
  readonly bytes: Buffer;
  readonly error: GatewayError | undefined;
}

/** Consumes a response's body to its end. */
export function collect(response: UpstreamResponse): Promise<Collected> {
  const chunks: Buffer[] = [];
  return new Promise((resolve) => {
    response.consume({
      data(chunk) {
        chunks.push(chunk);
        return true;
      },
      end: () => resolve({ bytes: Buffer.concat(chunks), error: undefined }),
      error: (error) => resolve({ bytes: Buffer.concat(chunks), error }),
    });
  });
}

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The same against the upstreams that this host uses: needs the network. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../../..', import.meta.url)),
    include: ['test/clients/real-upstream/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 300_000,
    dangerouslyIgnoreUnhandledErrors: false,
  },
});

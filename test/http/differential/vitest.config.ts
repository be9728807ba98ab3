import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The same exchanges with Millrace and with other caches of the host. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../../..', import.meta.url)),
    include: ['test/http/differential/*.test.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    dangerouslyIgnoreUnhandledErrors: false,
  },
});

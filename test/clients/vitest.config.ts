import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The real tools of the host against a real gateway process. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/clients/*.test.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    dangerouslyIgnoreUnhandledErrors: false,
  },
});

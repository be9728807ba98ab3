import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Malformed messages from both sides, for `MILLRACE_FUZZ_SECONDS`. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../../..', import.meta.url)),
    include: ['test/http/fuzz/*.test.ts'],
    pool: 'forks',
    testTimeout: 20_000,
    // What a failure prints has to stand alone.
    disableConsoleIntercept: true,
    dangerouslyIgnoreUnhandledErrors: false,
  },
});

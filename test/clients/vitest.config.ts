import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { TableReporter } from './support/table-reporter.ts';

/** The real tools of the host against a real gateway process. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/clients/**/*.test.ts'],
    exclude: ['test/clients/real-upstream/**'],
    pool: 'forks',
    testTimeout: 60_000,
    reporters: ['default', new TableReporter()],
    dangerouslyIgnoreUnhandledErrors: false,
  },
});

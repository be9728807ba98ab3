import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      'test/clients/**',
      'test/http/differential/**',
      'test/http/fuzz/**',
      'node_modules/**',
    ],
    pool: 'forks',
    testTimeout: 20_000,
    dangerouslyIgnoreUnhandledErrors: false,
  },
});

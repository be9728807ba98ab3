#!/usr/bin/env node
// Plain JavaScript, so that a Node too old to run TypeScript can say so instead of failing to parse.
const { engines } = require('../package.json');
const { useCompileCache } = require('./compile-cache.cjs');

if (process.features.typescript) {
  useCompileCache();
  import('./main.ts');
} else {
  process.stderr.write(
    `Millrace needs Node ${engines.node}, and this is ${process.versions.node}. ` +
      'After `npm ci`, `npm start` uses the right one.\n',
  );
  process.exitCode = 2;
}

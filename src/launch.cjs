#!/usr/bin/env node
// Plain JavaScript, so that a Node too old to run TypeScript can say so instead of failing to parse.
const { join } = require('node:path');
const { enableCompileCache } = require('node:module');
const { engines } = require('../package.json');

if (process.features.typescript) {
  // From the second start on: half the time, and a fifth less memory. Where the folder cannot be
  // written Node goes on without. Below our own folder, because what it holds is run.
  enableCompileCache(join(__dirname, '../node_modules/.cache/millrace'));
  import('./main.ts');
} else {
  process.stderr.write(
    `Millrace needs Node ${engines.node}, and this is ${process.versions.node}. ` +
      'After `npm ci`, `npm start` uses the right one.\n',
  );
  process.exitCode = 2;
}

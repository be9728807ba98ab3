// Run after an install: compiles the program once, so that the first start is as quick and as small
// as the later ones. A convenience: where it cannot be done the install is none the worse.
const { spawnSync } = require('node:child_process');
const { join } = require('node:path');

if (process.features.typescript) {
  const { useCompileCache } = require('./compile-cache.cjs');
  useCompileCache();
  spawnSync(process.execPath, [join(__dirname, 'launch.cjs'), '--version'], { stdio: 'ignore' });
  Promise.all([
    import('./gateway.ts'),
    import('./config/host-defaults.ts'),
    import('./config/host.ts'),
  ]);
}

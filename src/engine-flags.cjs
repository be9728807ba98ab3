const { setFlagsFromString } = require('node:v8');

/**
 * V8 collects what is left once little is allocated, and gives the memory back: after a second, and not
 * after half a minute. Only where the flags are known: another V8 would complain of them.
 */
exports.useEngineFlags = () => {
  if (!process.versions.node.startsWith('26.')) return;
  setFlagsFromString('--memory-reducer-delay-ms=1000');
  setFlagsFromString('--gc-memory-reducer-start-delay-ms=1000');
};

import { expect, test } from 'vitest';
import { nodeTooOld } from '../../src/cli/node-version.ts';

test.each(['24.12.0', '24.13.1', '25.0.0', '26.10.0', '100.0.0'])('Node %s will do', (version) => {
  expect(nodeTooOld(version, '>=24.12')).toBeUndefined();
});

test.each(['24.11.9', '22.20.0', '9.99.0'])('Node %s is too old, and both are named', (version) => {
  expect(nodeTooOld(version, '>=24.12')).toMatch(`needs Node >=24.12, and this is ${version}.`);
});

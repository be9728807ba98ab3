import { expect, it } from 'vitest';
import { generic } from '../../src/ecosystems/generic.ts';
import { describeEcosystem } from './ecosystem-conformance.ts';

describeEcosystem({
  create: () => generic,
  upstreamUrl: 'http://files.example.com/base',
  paths: ['/', '/a.iso', '/a?b=c'],
});

it('generic leaves all to the response', () => {
  const request = { method: 'GET', url: 'http://files.example.com/a', path: '/a', headers: [] };
  expect(generic.classify(request)).toEqual({ kind: 'index', freshness: 'rfc9111' });
});

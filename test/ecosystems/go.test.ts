import { expect, it } from 'vitest';
import { go } from '../../src/ecosystems/go.ts';
import { describeEcosystem } from './ecosystem-conformance.ts';

const upstreamUrl = 'https://proxy.golang.org';
const artifact = { kind: 'artifact' };
const plain = { kind: 'index', freshness: 'rfc9111' };
const validated = { kind: 'index', freshness: 'validate' };
const table = [
  ['/example.com/mod/@v/v1.2.3.info', artifact],
  ['/example.com/mod/@v/v1.2.3.mod', artifact],
  ['/example.com/mod/@v/v1.2.3.zip', artifact],
  ['/github.com/!azure/sdk/v2/@v/v2.0.0-!r!c.1+incompatible.zip', artifact],
  ['/github.com/%21azure/sdk/@v/v2.0.0%2Bincompatible.zip', artifact],
  ['/example.com/mod/@v/v0.0.0-20200102030405-abcdef012345.mod', artifact],
  ['/golang.org/toolchain/@v/v0.0.1-go1.22.0.linux-amd64.zip', artifact],
  ['/example.com/mod/@v/list', plain],
  ['/example.com/mod/@latest', plain],
  ['/example.com/mod/@v/master.info', plain],
  ['/example.com/mod/@v/v1.2.info', plain],
  ['/example.com/mod/@v/v1.info', plain],
  ['/example.com/mod/@v/v1.2.3.txt', plain],
  ['/example.com/mod/@v/v1.2.3.zip?x=1', plain],
  ['/sumdb/sum.golang.org/supported', plain],
  ['/sumdb/sum.golang.org/latest', validated],
  ['/sumdb/sum.golang.org/lookup/example.com/mod@v1.2.3', artifact],
  ['/sumdb/sum.golang.org/lookup/github.com/!azure/sdk@v2.0.0+incompatible', artifact],
  ['/sumdb/sum.golang.org/lookup/example.com/mod@master', plain],
  ['/sumdb/sum.golang.org/tile/8/0/x123/456', artifact],
  ['/tile/8/1/000.p/17', artifact],
  ['/tile/8/data/x001/x234/567', artifact],
  ['/tile/8/0/12', plain],
  ['/', plain],
] as const;

describeEcosystem({ create: () => go, upstreamUrl, paths: table.map(([path]) => path) });

it.each(table)('go judges %s', (path, expected) => {
  const request = { method: 'GET', url: upstreamUrl + path, path, headers: [] };
  expect(go.classify(request)).toEqual(expected);
});

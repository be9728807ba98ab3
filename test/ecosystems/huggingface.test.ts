import { expect, it } from 'vitest';
import { huggingface } from '../../src/ecosystems/huggingface.ts';
import { describeEcosystem } from './ecosystem-conformance.ts';

const upstreamUrl = 'https://huggingface.co';
const commit = '0123456789abcdef0123456789abcdef01234567';
const kept = {
  keptFields: ['x-linked-etag', 'x-repo-commit', 'x-linked-size'],
  digestField: 'x-linked-etag',
};
const artifact = { kind: 'artifact', ...kept };
const moving = { kind: 'index', freshness: 'validate', ...kept };
const validated = { kind: 'index', freshness: 'validate' };
const plain = { kind: 'index', freshness: 'rfc9111' };
const passthrough = { kind: 'passthrough' };
const table = [
  [`/acme/nail/resolve/${commit}/model.safetensors`, artifact],
  [`/nail/resolve/${commit}/config.json`, artifact],
  [`/datasets/acme/nail/resolve/${commit}/data/a b.parquet?download=true`, artifact],
  ['/acme/nail/resolve/main/config.json', moving],
  ['/spaces/acme/nail/resolve/refs%2Fpr%2F1/app.py', moving],
  [`/api/models/acme/nail/revision/${commit}`, plain],
  ['/api/models/acme/nail', validated],
  ['/api/models/acme/nail/revision/main', validated],
  ['/api/datasets/acme/nail/tree/main?recursive=true', validated],
  ['/api/models?search=nail', passthrough],
  ['/api/whoami-v2', passthrough],
  ['/acme/nail', passthrough],
  [`/acme/nail/resolve/${commit}/../../x`, plain],
] as const;

describeEcosystem({ create: () => huggingface, upstreamUrl, paths: table.map(([path]) => path) });

it.each(table)('huggingface judges %s', (path, expected) => {
  const request = { method: 'GET', url: upstreamUrl + path, path, headers: [] };
  expect(huggingface.classify(request)).toMatchObject(expected);
});
